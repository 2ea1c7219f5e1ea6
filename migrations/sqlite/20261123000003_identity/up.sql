CREATE TABLE accounts (
    id            BLOB PRIMARY KEY NOT NULL,
    phone         TEXT,
    email         TEXT,
    password_hash TEXT,
    display_name  TEXT NOT NULL,
    language      TEXT NOT NULL,
    status        TEXT NOT NULL,
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_phone ON accounts (phone);
CREATE UNIQUE INDEX accounts_email ON accounts (email);

CREATE TABLE sessions (
    id           BLOB PRIMARY KEY NOT NULL,
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    device       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ended_at     INTEGER,
    end_reason   TEXT
) STRICT;
CREATE INDEX sessions_account ON sessions (account_id, created_at);

CREATE TABLE refresh_tokens (
    token_hash BLOB PRIMARY KEY NOT NULL,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE one_time_codes (
    id          BLOB PRIMARY KEY NOT NULL,
    purpose     TEXT NOT NULL,
    target      TEXT NOT NULL,
    code_hash   BLOB NOT NULL,
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    consumed_at INTEGER
) STRICT;
CREATE INDEX one_time_codes_target ON one_time_codes (purpose, target, created_at);
CREATE INDEX one_time_codes_age ON one_time_codes (expires_at);

CREATE TABLE signing_keys (
    id         BLOB PRIMARY KEY NOT NULL,
    sealed     BLOB NOT NULL,
    public_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- scope_id names a region, an organisation or a Party branch, as scope_kind says
CREATE TABLE role_grants (
    id         BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    role       TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope_id   BLOB,
    granted_by BLOB REFERENCES accounts (id),
    granted_at INTEGER NOT NULL,
    revoked_by BLOB REFERENCES accounts (id),
    revoked_at INTEGER
) STRICT;
CREATE INDEX role_grants_account ON role_grants (account_id, revoked_at);
CREATE INDEX role_grants_scope ON role_grants (scope_id, role);
CREATE INDEX role_grants_granted_by ON role_grants (granted_by);
CREATE INDEX role_grants_revoked_by ON role_grants (revoked_by);

CREATE TABLE consents (
    id           BLOB PRIMARY KEY NOT NULL,
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    purpose      TEXT NOT NULL,
    text_version TEXT NOT NULL,
    channel      TEXT NOT NULL,
    given_at     INTEGER NOT NULL,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX consents_account ON consents (account_id, purpose);
