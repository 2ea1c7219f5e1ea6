CREATE TABLE organizations (
    id                 uuid PRIMARY KEY,
    kind               text NOT NULL,
    name               text NOT NULL,
    region_id          uuid NOT NULL REFERENCES regions (id),
    field              text,
    introduction       text NOT NULL,
    credit_code        text,
    -- why a reviewer believed a code whose check digit is wrong
    credit_code_reason text,
    -- the code with which a filed organisation asks to count as registered
    registering_code   text,
    responsible_id     uuid REFERENCES accounts (id),
    -- the responsible person's number of the identity card, sealed
    responsible_number bytea,
    venue_address      text,
    venue_region_id    uuid REFERENCES regions (id),
    venue_until        date,
    longitude          double precision,
    latitude           double precision,
    status             text NOT NULL,
    status_since       timestamptz NOT NULL,
    -- until when a filed organisation must have enough members again
    curing_until       timestamptz,
    founder_id         uuid NOT NULL REFERENCES accounts (id),
    version            integer NOT NULL,
    created_at         timestamptz NOT NULL
);
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
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    kind            text NOT NULL,
    file            text NOT NULL,
    content_type    text NOT NULL,
    size            bigint NOT NULL,
    uploaded_by     uuid NOT NULL REFERENCES accounts (id),
    created_at      timestamptz NOT NULL
);
CREATE INDEX organization_documents_organization ON organization_documents (organization_id, id);
CREATE INDEX organization_documents_uploader ON organization_documents (uploaded_by);

CREATE TABLE organization_members (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    account_id      uuid NOT NULL REFERENCES accounts (id),
    -- what the inviter calls the person
    name            text NOT NULL,
    role            text NOT NULL,
    status          text NOT NULL,
    invited_by      uuid NOT NULL REFERENCES accounts (id),
    invited_at      timestamptz NOT NULL,
    -- until when the invitation may be answered
    expires_at      timestamptz NOT NULL,
    joined_at       timestamptz,
    ended_at        timestamptz
);
-- a person is in an organisation, or invited to it, once
CREATE UNIQUE INDEX organization_members_live ON organization_members (organization_id, account_id)
    WHERE status IN ('invited', 'active');
CREATE INDEX organization_members_organization ON organization_members (organization_id, status, id);
CREATE INDEX organization_members_account ON organization_members (account_id, status, id);
CREATE INDEX organization_members_inviter ON organization_members (invited_by);
CREATE INDEX organization_members_open ON organization_members (status, expires_at);
