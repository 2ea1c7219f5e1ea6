CREATE TABLE wishes (
    id                BLOB PRIMARY KEY NOT NULL,
    region_id         BLOB NOT NULL REFERENCES regions (id),
    author_id         BLOB NOT NULL REFERENCES accounts (id),
    -- the resident's own account; none when a proxy posts for somebody without one
    beneficiary_id    BLOB REFERENCES accounts (id),
    -- name, phone and address, sealed
    contact           BLOB NOT NULL,
    consent_channel   TEXT NOT NULL,
    alias             TEXT NOT NULL,
    beneficiary_group TEXT NOT NULL,
    life_cycle        TEXT NOT NULL,
    kind              TEXT NOT NULL,
    title             TEXT NOT NULL,
    description       TEXT NOT NULL,
    value_fen         INTEGER,
    longitude         REAL,
    latitude          REAL,
    expires_on        TEXT,
    status            TEXT NOT NULL,
    status_since      INTEGER NOT NULL,
    -- when the clock moves the wish on: the end of a lease, of a confirmation term
    due_at            INTEGER,
    fulfilled_by      TEXT,
    fulfilled_at      INTEGER,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX wishes_region ON wishes (region_id, status, id);
CREATE INDEX wishes_author ON wishes (author_id, id);
CREATE INDEX wishes_beneficiary ON wishes (beneficiary_id, id);
CREATE INDEX wishes_status ON wishes (status, id);
CREATE INDEX wishes_due ON wishes (status, due_at);

CREATE TABLE wish_claims (
    id          BLOB PRIMARY KEY NOT NULL,
    wish_id     BLOB NOT NULL REFERENCES wishes (id),
    claimant_id BLOB NOT NULL REFERENCES accounts (id),
    claimed_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    ended_at    INTEGER,
    outcome     TEXT
) STRICT;
-- a wish has one live claim at the most
CREATE UNIQUE INDEX wish_claims_live ON wish_claims (wish_id) WHERE ended_at IS NULL;
CREATE INDEX wish_claims_wish ON wish_claims (wish_id, id);
CREATE INDEX wish_claims_claimant ON wish_claims (claimant_id, ended_at);

CREATE TABLE wish_evidence (
    id         BLOB PRIMARY KEY NOT NULL,
    wish_id    BLOB NOT NULL REFERENCES wishes (id),
    claim_id   BLOB NOT NULL REFERENCES wish_claims (id),
    photo      TEXT NOT NULL,
    thumbnail  TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wish_evidence_wish ON wish_evidence (wish_id, id);
CREATE INDEX wish_evidence_claim ON wish_evidence (claim_id);

CREATE TABLE wish_messages (
    id         BLOB PRIMARY KEY NOT NULL,
    wish_id    BLOB NOT NULL REFERENCES wishes (id),
    claim_id   BLOB NOT NULL REFERENCES wish_claims (id),
    author_id  BLOB NOT NULL REFERENCES accounts (id),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wish_messages_wish ON wish_messages (wish_id, id);
CREATE INDEX wish_messages_claim ON wish_messages (claim_id);
CREATE INDEX wish_messages_author ON wish_messages (author_id);
