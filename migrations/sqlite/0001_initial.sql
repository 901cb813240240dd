-- Times are microseconds since 1970-01-01T00:00:00Z. Identifiers are 16 random bytes,
-- those of messages ordered by time. Kinds, channels,
-- states and factors are the numbers that the domain gives them.

-- What this database is: one row.
CREATE TABLE installation (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    log_origin    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    demonstration INTEGER NOT NULL                   -- whether `relatch dev` made it, accounts included
) STRICT;

CREATE TABLE accounts (
    account_id           BLOB PRIMARY KEY CHECK (length(account_id) = 16),
    email                TEXT NOT NULL,              -- as typed; mail goes there
    email_key            TEXT NOT NULL UNIQUE,       -- lower-cased, A-labels; compared byte by byte
    email_verified       INTEGER NOT NULL,
    phone                TEXT,
    phone_verified       INTEGER NOT NULL,
    second_factor        INTEGER NOT NULL,
    locale               TEXT NOT NULL,
    display_name         TEXT NOT NULL,
    disabled             INTEGER NOT NULL,
    password_hash        TEXT,                       -- PHC string; `foreign:` before what was imported
    password_changed_at  INTEGER,
    credential_version   INTEGER NOT NULL,
    sessions_valid_after INTEGER,
    created_at           INTEGER NOT NULL,
    revision             INTEGER NOT NULL,
    compromised          INTEGER NOT NULL DEFAULT 0, -- whether a stranger is said to know the password
    wrong_passwords      INTEGER NOT NULL DEFAULT 0, -- since the last right one, from everywhere,
    told_of_wrong_ones   INTEGER NOT NULL DEFAULT 0, -- and whether the owner was told
    pepper               TEXT AS (                   -- the `keyid` of a hash of our own
        CASE WHEN password_hash GLOB '$argon2id$*,keyid=*'
             THEN substr(password_hash, instr(password_hash, ',keyid=') + 7, 6) END
    )
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_peppered ON accounts (pepper) WHERE pepper IS NOT NULL;

-- Pseudonyms of the rows that were imported, all that each says. They outlive the accounts that were made of them: a
-- row that is sent again does not bring a deleted account back.
CREATE TABLE imported_rows (
    row BLOB PRIMARY KEY CHECK (length(row) = 16)
) STRICT, WITHOUT ROWID;

-- Requests for links, until they are resolved, in the order of their turns: a request's turn is the moment at
-- which its source's limits will be full again, so a flood of one source delays itself only.
CREATE TABLE intake (
    turn             INTEGER NOT NULL,
    message_id       BLOB NOT NULL,
    accepted_at      INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    email            TEXT NOT NULL,
    email_key        TEXT NOT NULL,
    identifier       BLOB NOT NULL,                  -- pseudonym of email_key
    identifier_limit BLOB NOT NULL,                  -- key of the counter in limits
    locale           TEXT NOT NULL,
    reset_id         BLOB NOT NULL,
    caller           TEXT NOT NULL,
    correlation_id   TEXT NOT NULL,
    source_ip        TEXT NOT NULL,
    PRIMARY KEY (turn, message_id)
) STRICT, WITHOUT ROWID;

-- Resets. A link is live while neither used nor cancelled nor expired nor out of tries, and while the
-- account's credential_version is the one it was made under.
CREATE TABLE resets (
    reset_id           BLOB PRIMARY KEY CHECK (length(reset_id) = 16),
    account_id         BLOB NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    credential_version INTEGER NOT NULL,
    origin             INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    used_at            INTEGER,
    cancelled_at       INTEGER,
    code_tries         INTEGER NOT NULL DEFAULT 0    -- codes tried with it, each counted before it was looked at
) STRICT, WITHOUT ROWID;
CREATE INDEX resets_of_account ON resets (account_id, created_at);
CREATE INDEX resets_ended ON resets (expires_at);

-- Sign-ins whose password was right and whose second factor is due. One is live as a link is.
CREATE TABLE challenges (
    challenge_id       BLOB PRIMARY KEY CHECK (length(challenge_id) = 16),
    account_id         BLOB NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    credential_version INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    finished_at        INTEGER,
    code_tries         INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_of_account ON challenges (account_id);
CREATE INDEX challenges_ended ON challenges (expires_at);

-- Wrong codes of an account's factor in a row, over all links and challenges.
CREATE TABLE factor_tries (
    account_id    BLOB NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    second_factor INTEGER NOT NULL,
    wrong         INTEGER NOT NULL,
    PRIMARY KEY (account_id, second_factor)
) STRICT, WITHOUT ROWID;

-- The outbox, and what became of it. `address` is the full address and stands here only while the
-- message is queued; `destination` is the masked one and stays. A suppressed message never had one.
CREATE TABLE messages (
    message_id   BLOB PRIMARY KEY CHECK (length(message_id) = 16),
    account_id   BLOB REFERENCES accounts (account_id) ON DELETE CASCADE,
    identifier   BLOB,                               -- pseudonym of the typed address, if one was typed
    reset_id     BLOB REFERENCES resets (reset_id) ON DELETE CASCADE,
    challenge_id BLOB,                               -- of a code for a sign-in, whose challenge may be gone
    sending      INTEGER,                            -- of a code: which one for its link or challenge, from 1 on
    kind         INTEGER NOT NULL,
    channel      INTEGER NOT NULL,
    address      TEXT,
    destination  TEXT NOT NULL,
    locale       TEXT NOT NULL,
    state        INTEGER NOT NULL,
    reason       TEXT NOT NULL,                      -- of the state: a suppression's name, a channel's words
    requested_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,                   -- no attempt begins from then on: the end of its link, its code, or a notice's
    happened_at  INTEGER,                            -- of a notice: when it happened,
    network      TEXT,                               -- from which network,
    browser      TEXT,                               -- with which browser,
    system       TEXT,                               -- on which system
    codes_left   INTEGER,                            -- of the notice that a recovery code was used: how many are left
    counted      INTEGER NOT NULL DEFAULT 0,         -- whether a text message was counted in sms_budgets
    attempts     INTEGER NOT NULL,                   -- how many were begun
    due_at       INTEGER                             -- when to try (again), or when the lease ends; NULL once settled
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_due ON messages (channel, due_at, requested_at) WHERE due_at IS NOT NULL;
CREATE INDEX messages_of_account ON messages (account_id, requested_at) WHERE account_id IS NOT NULL;
CREATE INDEX messages_of_identifier ON messages (identifier, requested_at) WHERE identifier IS NOT NULL;
CREATE INDEX messages_of_reset ON messages (reset_id) WHERE reset_id IS NOT NULL;
CREATE INDEX messages_of_challenge ON messages (challenge_id) WHERE challenge_id IS NOT NULL;
CREATE INDEX messages_suppressed ON messages (requested_at) WHERE state = 5;

-- Attempts that ended.
CREATE TABLE attempts (
    message_id BLOB NOT NULL REFERENCES messages (message_id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    error      TEXT NOT NULL,
    PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;

-- Token buckets: the theoretical arrival time is all there is to one. A row whose time has passed
-- says the same as no row.
CREATE TABLE limits (
    limit_key BLOB PRIMARY KEY,
    arrival   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Text messages that were sent on the last day that any was: to a number, to a country, in all.
CREATE TABLE sms_budgets (
    budget_key BLOB PRIMARY KEY,                     -- what is counted, and a pseudonym of whose
    day        INTEGER NOT NULL,                     -- since 1970, in UTC
    spent      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sms_budgets_over ON sms_budgets (day);

-- Wrong passwords of an account from one source, since the last right one.
CREATE TABLE wrong_passwords (
    account_id BLOB NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    source     BLOB NOT NULL,                        -- pseudonym of the network
    wrong      INTEGER NOT NULL,
    pause_ends INTEGER NOT NULL,
    PRIMARY KEY (account_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX wrong_passwords_over ON wrong_passwords (pause_ends);

-- The secrets that accounts share with their authenticator apps, sealed, and the last step of which a code was
-- accepted. An account has one while its second factor is TOTP.
CREATE TABLE totp (
    account_id    BLOB PRIMARY KEY REFERENCES accounts (account_id) ON DELETE CASCADE,
    sealed_secret BLOB NOT NULL,                     -- begins with the id of the key that sealed it
    last_step     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX totp_sealed_by ON totp (substr(sealed_secret, 1, 4));

-- The same of apps that are being enrolled and have not shown a first code yet.
CREATE TABLE enrolments (
    account_id         BLOB PRIMARY KEY REFERENCES accounts (account_id) ON DELETE CASCADE,
    credential_version INTEGER NOT NULL,             -- void once the account's is another
    sealed_secret      BLOB NOT NULL,
    tries              INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_over ON enrolments (expires_at);

-- Addresses that are to become an account's once their code was shown, sealed with a key of the keyring.
CREATE TABLE address_verifications (
    account_id         BLOB PRIMARY KEY REFERENCES accounts (account_id) ON DELETE CASCADE,
    message_id         BLOB NOT NULL UNIQUE,         -- what the code is derived from
    credential_version INTEGER NOT NULL,             -- void once the account's is another
    channel            INTEGER NOT NULL,
    sealed_address     BLOB NOT NULL,
    tries              INTEGER NOT NULL,
    begun_at           INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX address_verifications_over ON address_verifications (expires_at);

-- Recovery codes that are not used yet.
CREATE TABLE recovery_codes (
    account_id BLOB NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE,
    code_hash  BLOB NOT NULL CHECK (length(code_hash) = 32),
    PRIMARY KEY (account_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Orders to take a second factor away, the latest of each account. Until its time comes the owner can object.
CREATE TABLE factor_removals (
    account_id   BLOB PRIMARY KEY REFERENCES accounts (account_id) ON DELETE CASCADE,
    removal_id   BLOB NOT NULL UNIQUE CHECK (length(removal_id) = 16),
    ordered_at   INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    ended_at     INTEGER                             -- carried out, objected to, or the factor is another since
) STRICT, WITHOUT ROWID;
CREATE INDEX factor_removals_due ON factor_removals (effective_at) WHERE ended_at IS NULL;
CREATE INDEX factor_removals_over ON factor_removals (ended_at) WHERE ended_at IS NOT NULL;

-- Successes of calls that carried a request id: which call it was, and the parts of its answer.
CREATE TABLE idempotency (
    call_key            BLOB PRIMARY KEY CHECK (length(call_key) = 32),
    fingerprint         BLOB NOT NULL,
    forget_at           INTEGER NOT NULL,
    account_id          BLOB,
    message_id          BLOB,
    credential_version  INTEGER,
    password_changed_at INTEGER,
    effective_at        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_forgotten ON idempotency (forget_at);

-- The audit log: leaves are for ever, openings can be erased.
CREATE TABLE audit_leaves (
    sequence INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    leaf     BLOB NOT NULL
) STRICT;
CREATE TABLE audit_openings (
    sequence   INTEGER PRIMARY KEY REFERENCES audit_leaves (sequence),
    account_id BLOB,
    opening    BLOB NOT NULL
) STRICT;
CREATE INDEX audit_openings_of_account ON audit_openings (account_id, sequence) WHERE account_id IS NOT NULL;

CREATE TRIGGER audit_leaves_stay_as_they_are BEFORE UPDATE ON audit_leaves
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_leaves_stay BEFORE DELETE ON audit_leaves
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_openings_stay_as_they_are BEFORE UPDATE ON audit_openings
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
