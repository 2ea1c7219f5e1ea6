CREATE TABLE journal (
    txid        bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_kind  text NOT NULL,
    actor_id    uuid,
    kind        text NOT NULL,
    subject_kind text NOT NULL,
    subject_id  uuid NOT NULL,
    region_id   uuid,
    from_state  text,
    to_state    text,
    reason      text,
    payload     jsonb NOT NULL
);
CREATE UNIQUE INDEX journal_order ON journal (txid, seq);
CREATE INDEX journal_subject ON journal (subject_kind, subject_id, at, seq);
CREATE INDEX journal_region ON journal (region_id, seq);
CREATE INDEX journal_actor ON journal (actor_id, seq);

CREATE TABLE journal_cursors (
    reader text PRIMARY KEY,
    txid   bigint NOT NULL,
    seq    bigint NOT NULL
);

CREATE TABLE jobs (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL,
    payload      jsonb NOT NULL,
    status       text NOT NULL,
    run_at       timestamptz NOT NULL,
    attempts     integer NOT NULL,
    leased_until timestamptz,
    last_error   text,
    created_at   timestamptz NOT NULL
);
CREATE INDEX jobs_due ON jobs (status, run_at, id);

CREATE TABLE idempotency_keys (
    owner_id    uuid NOT NULL,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    answer      jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (owner_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
