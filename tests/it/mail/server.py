"""A real mail server that does what a test tells it, and tells what it heard.

Takes one JSON object as its argument: security ("tls", "starttls" or "plain"), certificate, key, user, password.
Reads commands from standard input, a JSON object a line, and ends with it:

  {"up": true}                 listens, on the same port each time      {"up": false}  closes everything at once
  {"answers": {"RCPT": [...]}} answers the next commands so, whatever it was told before; the verbs are EHLO, MAIL, RCPT,
                               DATA (the command) and END (of the content)
  {"hang": "RCPT"}             says nothing any more once it hears this, or "CONNECT"; null ends it
  {"drop": true}               takes connections and closes them at once
  {"password": "..."}          accepts this one from now on
  {"offer": {"STARTTLS": false}} offers it no longer; SMTPUTF8 likewise
  {"inject": true}             adds an answer in clear behind the one to STARTTLS

Writes what happens to standard output, a JSON object a line: {"understood": true} for each of these, {"port": N},
{"connected": true}, {"heard": VERB} for each command of a client, {"login": NAME, "accepted": BOOL} and {"mail": {...}} for each
mail it took, read by the standard library.
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# It warns of logins without TLS where it is TLS from the first byte, and tells of each handshake that fails.
warnings.simplefilter("ignore")
logging.disable(logging.ERROR)

settings = json.loads(sys.argv[1])
security = settings["security"]
answers = {}
hang = None
gate = asyncio.Event()
offer = {"STARTTLS": True, "SMTPUTF8": True}
inject = False
drop = False
clients = set()


def tell(**event):
    print(json.dumps(event), flush=True)


def context():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(settings["certificate"], settings["key"])
    return tls


def authenticate(server, session, envelope, mechanism, data):
    name, password = data.login.decode(), data.password.decode()
    accepted = (name, password) == (settings["user"], settings["password"])
    tell(login=name, accepted=accepted)
    return AuthResult(success=accepted, handled=False)


async def answered(verb, usual):
    """What a command is answered, in its own time."""
    await not_hanging(verb)
    queued = answers.get(verb)
    return queued.pop(0) if queued else usual


async def not_hanging(verb):
    if hang == verb:
        await gate.wait()


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        first = await answered("EHLO", None)
        return [first] if first else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        answer = await answered("MAIL", "250 2.1.0 OK")
        if answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await answered("RCPT", "250 2.1.5 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = await answered("END", "250 2.0.0 OK")
        if answer.startswith("2"):
            tell(mail=read(envelope))
        return answer


def read(envelope):
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    part = lambda kind: mail.get_body([kind]).get_content() if mail.get_body([kind]) else None
    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "options": envelope.mail_options,
        "headers": [[name, str(value)] for name, value in mail.items()],
        "defects": [str(defect) for part in mail.walk() for defect in part.defects],
        "parts": [part.get_content_type() for part in mail.walk()],
        "text": part("plain"),
        "html": part("html"),
        "raw": envelope.content.decode("utf-8"),
        "at": time.time_ns() // 1000,
    }


class Server(SMTP):
    def connection_made(self, transport):
        if self not in clients:
            tell(connected=True)
        clients.add(self)
        super().connection_made(transport)
        if drop:
            transport.abort()

    def connection_lost(self, error):
        clients.discard(self)
        super().connection_lost(error)

    async def _handle_client(self):
        await not_hanging("CONNECT")
        await super()._handle_client()

    async def smtp_STARTTLS(self, arg):
        if inject:
            push = self.push

            async def push_more(status):
                await push(status + "\r\n250 injected")

            self.push = push_more
        await super().smtp_STARTTLS(arg)
        self.__dict__.pop("push", None)

    async def smtp_DATA(self, arg):
        answer = await answered("DATA", None)
        if answer:
            await self.push(answer)
        else:
            await super().smtp_DATA(arg)


def heard(verb):
    usual = getattr(Server, f"smtp_{verb}")

    async def method(self, arg):
        tell(heard=verb)
        await usual(self, arg)

    # The decorators of aiosmtpd leave the syntax of a command on its method.
    method.__dict__.update(usual.__dict__)
    setattr(Server, f"smtp_{verb}", method)


for verb in ["EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT"]:
    heard(verb)


def server():
    starttls = security == "starttls" and offer["STARTTLS"]
    return Server(
        Handler(),
        hostname="localhost",
        enable_SMTPUTF8=offer["SMTPUTF8"],
        tls_context=context() if starttls else None,
        require_starttls=starttls,
        authenticator=authenticate,
        auth_required=bool(settings["user"]) and (starttls or security == "tls"),
        auth_require_tls=security == "starttls",
        auth_exclude_mechanism=None if settings["user"] else ["LOGIN", "PLAIN"],
    )


async def main():
    global hang, inject, gate, drop
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    listener, port = None, 0
    while line := await commands.readline():
        command = json.loads(line)
        if command.get("up") is True and listener is None:
            tls = context() if security == "tls" else None
            listener = await loop.create_server(server, "127.0.0.1", port, ssl=tls)
            port = listener.sockets[0].getsockname()[1]
            tell(port=port)
        elif command.get("up") is False and listener is not None:
            listener.close()
            for client in list(clients):
                if client.transport is not None:
                    client.transport.abort()
            listener = None
        answers.update(command.get("answers", {}))
        if "hang" in command:
            hang = command["hang"]
            gate.set()
            gate = asyncio.Event()
        offer.update(command.get("offer", {}))
        inject = command.get("inject", inject)
        drop = command.get("drop", drop)
        settings["password"] = command.get("password", settings["password"])
        tell(understood=True)


asyncio.run(main())
