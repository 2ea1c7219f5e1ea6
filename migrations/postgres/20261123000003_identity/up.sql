CREATE TABLE accounts (
    id            uuid PRIMARY KEY,
    phone         text,
    email         text,
    password_hash text,
    display_name  text NOT NULL,
    language      text NOT NULL,
    status        text NOT NULL,
    version       integer NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX accounts_phone ON accounts (phone);
CREATE UNIQUE INDEX accounts_email ON accounts (email);

CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts (id),
    device       text NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    ended_at     timestamptz,
    end_reason   text
);
CREATE INDEX sessions_account ON sessions (account_id, created_at);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id),
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE one_time_codes (
    id          uuid PRIMARY KEY,
    purpose     text NOT NULL,
    target      text NOT NULL,
    code_hash   bytea NOT NULL,
    attempts    integer NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    consumed_at timestamptz
);
CREATE INDEX one_time_codes_target ON one_time_codes (purpose, target, created_at);
CREATE INDEX one_time_codes_age ON one_time_codes (expires_at);

CREATE TABLE signing_keys (
    id         uuid PRIMARY KEY,
    sealed     bytea NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- scope_id names a region, an organisation or a Party branch, as scope_kind says
CREATE TABLE role_grants (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id),
    role       text NOT NULL,
    scope_kind text NOT NULL,
    scope_id   uuid,
    granted_by uuid REFERENCES accounts (id),
    granted_at timestamptz NOT NULL,
    revoked_by uuid REFERENCES accounts (id),
    revoked_at timestamptz
);
CREATE INDEX role_grants_account ON role_grants (account_id, revoked_at);
CREATE INDEX role_grants_scope ON role_grants (scope_id, role);
CREATE INDEX role_grants_granted_by ON role_grants (granted_by);
CREATE INDEX role_grants_revoked_by ON role_grants (revoked_by);

CREATE TABLE consents (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts (id),
    purpose      text NOT NULL,
    text_version text NOT NULL,
    channel      text NOT NULL,
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX consents_account ON consents (account_id, purpose);
