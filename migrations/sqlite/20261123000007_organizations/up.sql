CREATE TABLE organizations (
    id                 BLOB PRIMARY KEY NOT NULL,
    kind               TEXT NOT NULL,
    name               TEXT NOT NULL,
    region_id          BLOB NOT NULL REFERENCES regions (id),
    field              TEXT,
    introduction       TEXT NOT NULL,
    credit_code        TEXT,
    -- why a reviewer believed a code whose check digit is wrong
    credit_code_reason TEXT,
    -- the code with which a filed organisation asks to count as registered
    registering_code   TEXT,
    responsible_id     BLOB REFERENCES accounts (id),
    -- the responsible person's number of the identity card, sealed
    responsible_number BLOB,
    venue_address      TEXT,
    venue_region_id    BLOB REFERENCES regions (id),
    venue_until        TEXT,
    longitude          REAL,
    latitude           REAL,
    status             TEXT NOT NULL,
    status_since       INTEGER NOT NULL,
    -- until when a filed organisation must have enough members again
    curing_until       INTEGER,
    founder_id         BLOB NOT NULL REFERENCES accounts (id),
    version            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX organizations_region ON organizations (region_id, status, id);
CREATE INDEX organizations_status ON organizations (status, id);
CREATE INDEX organizations_founder ON organizations (founder_id);
CREATE INDEX organizations_responsible ON organizations (responsible_id);
CREATE INDEX organizations_venue ON organizations (venue_region_id);
CREATE INDEX organizations_curing ON organizations (curing_until);
-- a code belongs to one organisation, once it is under review or was approved
CREATE UNIQUE INDEX organizations_credit_code ON organizations (credit_code)
    WHERE status IN ('submitted', 'active', 'suspended');

CREATE TABLE organization_documents (
    id              BLOB PRIMARY KEY NOT NULL,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    kind            TEXT NOT NULL,
    file            TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    size            INTEGER NOT NULL,
    uploaded_by     BLOB NOT NULL REFERENCES accounts (id),
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX organization_documents_organization ON organization_documents (organization_id, id);
CREATE INDEX organization_documents_uploader ON organization_documents (uploaded_by);

CREATE TABLE organization_members (
    id              BLOB PRIMARY KEY NOT NULL,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    account_id      BLOB NOT NULL REFERENCES accounts (id),
    -- what the inviter calls the person
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    status          TEXT NOT NULL,
    invited_by      BLOB NOT NULL REFERENCES accounts (id),
    invited_at      INTEGER NOT NULL,
    -- until when the invitation may be answered
    expires_at      INTEGER NOT NULL,
    joined_at       INTEGER,
    ended_at        INTEGER
) STRICT;
-- a person is in an organisation, or invited to it, once
CREATE UNIQUE INDEX organization_members_live ON organization_members (organization_id, account_id)
    WHERE status IN ('invited', 'active');
CREATE INDEX organization_members_organization ON organization_members (organization_id, status, id);
CREATE INDEX organization_members_account ON organization_members (account_id, status, id);
CREATE INDEX organization_members_inviter ON organization_members (invited_by);
CREATE INDEX organization_members_open ON organization_members (status, expires_at);
