CREATE TABLE journal (
    txid        INTEGER NOT NULL DEFAULT 0,
    seq         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at          INTEGER NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor_id    BLOB,
    kind        TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id  BLOB NOT NULL,
    region_id   BLOB,
    from_state  TEXT,
    to_state    TEXT,
    reason      TEXT,
    payload     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_order ON journal (txid, seq);
CREATE INDEX journal_subject ON journal (subject_kind, subject_id, at, seq);
CREATE INDEX journal_region ON journal (region_id, seq);
CREATE INDEX journal_actor ON journal (actor_id, seq);

CREATE TABLE journal_cursors (
    reader TEXT PRIMARY KEY NOT NULL,
    txid   INTEGER NOT NULL,
    seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id           BLOB PRIMARY KEY NOT NULL,
    kind         TEXT NOT NULL,
    payload      TEXT NOT NULL,
    status       TEXT NOT NULL,
    run_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    leased_until INTEGER,
    last_error   TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (status, run_at, id);

CREATE TABLE idempotency_keys (
    owner_id    BLOB NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
