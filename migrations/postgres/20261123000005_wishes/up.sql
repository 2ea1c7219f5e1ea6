CREATE TABLE wishes (
    id                uuid PRIMARY KEY,
    region_id         uuid NOT NULL REFERENCES regions (id),
    author_id         uuid NOT NULL REFERENCES accounts (id),
    -- the resident's own account; none when a proxy posts for somebody without one
    beneficiary_id    uuid REFERENCES accounts (id),
    -- name, phone and address, sealed
    contact           bytea NOT NULL,
    consent_channel   text NOT NULL,
    alias             text NOT NULL,
    beneficiary_group text NOT NULL,
    life_cycle        text NOT NULL,
    kind              text NOT NULL,
    title             text NOT NULL,
    description       text NOT NULL,
    value_fen         bigint,
    longitude         double precision,
    latitude          double precision,
    expires_on        date,
    status            text NOT NULL,
    status_since      timestamptz NOT NULL,
    -- when the clock moves the wish on: the end of a lease, of a confirmation term
    due_at            timestamptz,
    fulfilled_by      text,
    fulfilled_at      timestamptz,
    version           integer NOT NULL,
    created_at        timestamptz NOT NULL
);
CREATE INDEX wishes_region ON wishes (region_id, status, id);
CREATE INDEX wishes_author ON wishes (author_id, id);
CREATE INDEX wishes_beneficiary ON wishes (beneficiary_id, id);
CREATE INDEX wishes_status ON wishes (status, id);
CREATE INDEX wishes_due ON wishes (status, due_at);

CREATE TABLE wish_claims (
    id          uuid PRIMARY KEY,
    wish_id     uuid NOT NULL REFERENCES wishes (id),
    claimant_id uuid NOT NULL REFERENCES accounts (id),
    claimed_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text
);
-- a wish has one live claim at the most
CREATE UNIQUE INDEX wish_claims_live ON wish_claims (wish_id) WHERE ended_at IS NULL;
CREATE INDEX wish_claims_wish ON wish_claims (wish_id, id);
CREATE INDEX wish_claims_claimant ON wish_claims (claimant_id, ended_at);

CREATE TABLE wish_evidence (
    id         uuid PRIMARY KEY,
    wish_id    uuid NOT NULL REFERENCES wishes (id),
    claim_id   uuid NOT NULL REFERENCES wish_claims (id),
    photo      text NOT NULL,
    thumbnail  text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX wish_evidence_wish ON wish_evidence (wish_id, id);
CREATE INDEX wish_evidence_claim ON wish_evidence (claim_id);

CREATE TABLE wish_messages (
    id         uuid PRIMARY KEY,
    wish_id    uuid NOT NULL REFERENCES wishes (id),
    claim_id   uuid NOT NULL REFERENCES wish_claims (id),
    author_id  uuid NOT NULL REFERENCES accounts (id),
    body       text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX wish_messages_wish ON wish_messages (wish_id, id);
CREATE INDEX wish_messages_claim ON wish_messages (claim_id);
CREATE INDEX wish_messages_author ON wish_messages (author_id);
