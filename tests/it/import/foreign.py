"""Hashes as other systems make them, one JSON object a line: system, format, encoded, password.

Each system hashes with its own code. Keycloak and ASP.NET Identity do not run here: theirs are made of hashlib's PBKDF2
as their documentation says they are written. Costs are low so that a debug build verifies them in time.
"""

import base64
import hashlib
import json
import os
import struct

import argon2.low_level
import bcrypt
import django.conf
import passlib.hash
import werkzeug.security
from django.contrib.auth import hashers

django.conf.settings.configure()

PASSWORD = "Zwölf Boxkämpfer jagen Viktor"
ITERATIONS = 12_000


def show(system, format, encoded, password=PASSWORD):
    print(json.dumps({"system": system, "format": format, "encoded": encoded, "password": password}))


def of_django(hasher, **costs):
    for name, value in costs.items():
        setattr(hasher, name, value)
    show("Django's " + hasher.algorithm, "django", hasher.encode(PASSWORD, hasher.salt()))


def pbkdf2(digest, length):
    salt = os.urandom(16)
    return salt, hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), salt, ITERATIONS, length)


of_django(hashers.PBKDF2PasswordHasher(), iterations=ITERATIONS)
of_django(hashers.PBKDF2SHA1PasswordHasher(), iterations=ITERATIONS)
of_django(hashers.BCryptSHA256PasswordHasher(), rounds=10)
of_django(hashers.ScryptPasswordHasher(), parallelism=1)
of_django(hashers.Argon2PasswordHasher(), memory_cost=16_384)

show("passlib's pbkdf2_sha1", "pbkdf2", passlib.hash.pbkdf2_sha1.using(rounds=ITERATIONS).hash(PASSWORD))
show("passlib's pbkdf2_sha256", "pbkdf2", passlib.hash.pbkdf2_sha256.using(rounds=ITERATIONS).hash(PASSWORD))
show("passlib's pbkdf2_sha512", "pbkdf2", passlib.hash.pbkdf2_sha512.using(rounds=ITERATIONS).hash(PASSWORD))
show("passlib's scrypt", "scrypt", passlib.hash.scrypt.using(rounds=14).hash(PASSWORD))
show("passlib's sha256_crypt", "sha-crypt", passlib.hash.sha256_crypt.using(rounds=ITERATIONS).hash(PASSWORD))
show("passlib's sha512_crypt", "sha-crypt", passlib.hash.sha512_crypt.using(rounds=ITERATIONS).hash(PASSWORD))

show("Werkzeug's scrypt", "werkzeug", werkzeug.security.generate_password_hash(PASSWORD, "scrypt:16384:8:1"))
show("Werkzeug's PBKDF2", "werkzeug", werkzeug.security.generate_password_hash(PASSWORD, f"pbkdf2:sha256:{ITERATIONS}"))

for prefix in (b"2a", b"2b"):
    show("bcrypt's " + prefix.decode(), "bcrypt", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, prefix)).decode())
show("bcrypt, of 72 bytes", "bcrypt", bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(10)).decode(), "x" * 72)

for kind in argon2.low_level.Type:
    for version in (16, 19):
        encoded = argon2.low_level.hash_secret(PASSWORD.encode(), os.urandom(16), 3, 4_096, 2, 32, kind, version)
        show(f"the reference Argon2, {kind.name}, version {version}", "argon2" + kind.name.lower(), encoded.decode())

for number, digest in enumerate(("sha1", "sha256", "sha512")):
    salt, key = pbkdf2(digest, 32)
    blob = struct.pack(">BIII", 1, number, ITERATIONS, len(salt)) + salt + key
    show(f"ASP.NET Identity's {digest}", "aspnet-identity-v3", base64.b64encode(blob).decode())

for algorithm, digest in (("pbkdf2", "sha1"), ("pbkdf2-sha256", "sha256"), ("pbkdf2-sha512", "sha512")):
    salt, key = pbkdf2(digest, 64)
    secret = {"value": base64.b64encode(key).decode(), "salt": base64.b64encode(salt).decode(), "additionalParameters": {}}
    data = {"hashIterations": ITERATIONS, "algorithm": algorithm, "additionalParameters": {}}
    credential = {"id": "x", "type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(data)}
    show(f"Keycloak's {algorithm}", "keycloak", json.dumps(credential))
