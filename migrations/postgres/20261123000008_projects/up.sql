CREATE TABLE campaigns (
    id           uuid PRIMARY KEY,
    region_id    uuid NOT NULL REFERENCES regions (id),
    name         text NOT NULL,
    introduction text NOT NULL,
    created_by   uuid NOT NULL REFERENCES accounts (id),
    version      integer NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX campaigns_region ON campaigns (region_id, id);
CREATE INDEX campaigns_creator ON campaigns (created_by);

CREATE TABLE batches (
    id          uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns (id),
    name        text NOT NULL,
    -- the half-open window in which its projects may be claimed
    opens_at    timestamptz NOT NULL,
    closes_at   timestamptz NOT NULL,
    status      text NOT NULL,
    version     integer NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX batches_campaign ON batches (campaign_id, id);

CREATE TABLE projects (
    id                uuid PRIMARY KEY,
    batch_id          uuid REFERENCES batches (id),
    region_id         uuid NOT NULL REFERENCES regions (id),
    -- the organisation that published it; none when the region itself did
    organization_id   uuid REFERENCES organizations (id),
    author_id         uuid NOT NULL REFERENCES accounts (id),
    title             text NOT NULL,
    summary           text NOT NULL,
    field             text NOT NULL,
    life_cycle        text NOT NULL,
    beneficiary_group text,
    risk_notice       text NOT NULL,
    minors            boolean NOT NULL,
    dangerous         boolean NOT NULL,
    party_only        boolean NOT NULL,
    insurance_policy  text,
    insurance_from    date,
    insurance_until   date,
    claim_mode        text NOT NULL,
    allows_person     boolean NOT NULL,
    -- how many may hold a claim at once
    claim_seats       integer NOT NULL,
    starts_on         date NOT NULL,
    ends_on           date NOT NULL,
    longitude         double precision,
    latitude          double precision,
    status            text NOT NULL,
    status_since      timestamptz NOT NULL,
    version           integer NOT NULL,
    created_at        timestamptz NOT NULL
);
CREATE INDEX projects_region ON projects (region_id, status, id);
CREATE INDEX projects_status ON projects (status, id);
CREATE INDEX projects_batch ON projects (batch_id, id);
CREATE INDEX projects_organization ON projects (organization_id, id);
CREATE INDEX projects_author ON projects (author_id, id);

CREATE TABLE project_roles (
    id            uuid PRIMARY KEY,
    project_id    uuid NOT NULL REFERENCES projects (id),
    place         integer NOT NULL,
    name          text NOT NULL,
    seats         integer NOT NULL,
    -- a kind of qualification its holder must have
    qualification text,
    -- [{skill, level, required, importance}]
    skills        jsonb NOT NULL,
    -- [{weekday, from_minute, to_minute}]
    hours         jsonb NOT NULL
);
CREATE INDEX project_roles_project ON project_roles (project_id, place);

CREATE TABLE project_claims (
    id              uuid PRIMARY KEY,
    project_id      uuid NOT NULL REFERENCES projects (id),
    -- who claims: an organisation or a person
    organization_id uuid REFERENCES organizations (id),
    person_id       uuid REFERENCES accounts (id),
    applied_by      uuid NOT NULL REFERENCES accounts (id),
    proposal        text NOT NULL,
    status          text NOT NULL,
    status_since    timestamptz NOT NULL,
    -- which of the project's claim seats it holds
    seat            integer,
    lease_until     timestamptz,
    plan            text,
    report          text,
    people_served   bigint,
    ended_at        timestamptz,
    version         integer NOT NULL,
    created_at      timestamptz NOT NULL
);
-- a seat is held once; a claimant stands once for a project
CREATE UNIQUE INDEX project_claims_seat ON project_claims (project_id, seat) WHERE seat IS NOT NULL;
CREATE UNIQUE INDEX project_claims_once ON project_claims (project_id, organization_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX project_claims_person_once ON project_claims (project_id, person_id) WHERE ended_at IS NULL;
CREATE INDEX project_claims_project ON project_claims (project_id, status, id);
CREATE INDEX project_claims_organization ON project_claims (organization_id, id);
CREATE INDEX project_claims_person ON project_claims (person_id, id);
CREATE INDEX project_claims_applicant ON project_claims (applied_by);
CREATE INDEX project_claims_lease ON project_claims (lease_until);

CREATE TABLE claim_progress (
    id         uuid PRIMARY KEY,
    claim_id   uuid NOT NULL REFERENCES project_claims (id),
    author_id  uuid NOT NULL REFERENCES accounts (id),
    body       text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX claim_progress_claim ON claim_progress (claim_id, id);
CREATE INDEX claim_progress_author ON claim_progress (author_id);

CREATE TABLE claim_photos (
    id          uuid PRIMARY KEY,
    claim_id    uuid NOT NULL REFERENCES project_claims (id),
    -- the entry that shows it; none until an entry or the report does
    progress_id uuid REFERENCES claim_progress (id),
    in_report   boolean NOT NULL,
    photo       text NOT NULL,
    thumbnail   text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX claim_photos_claim ON claim_photos (claim_id, id);
CREATE INDEX claim_photos_progress ON claim_photos (progress_id);

CREATE TABLE crew_members (
    id           uuid PRIMARY KEY,
    claim_id     uuid NOT NULL REFERENCES project_claims (id),
    role_id      uuid NOT NULL REFERENCES project_roles (id),
    account_id   uuid NOT NULL REFERENCES accounts (id),
    note         text NOT NULL,
    status       text NOT NULL,
    status_since timestamptz NOT NULL,
    ended_at     timestamptz,
    created_at   timestamptz NOT NULL
);
-- a person stands once in a crew
CREATE UNIQUE INDEX crew_members_once ON crew_members (claim_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX crew_members_claim ON crew_members (claim_id, status, id);
CREATE INDEX crew_members_role ON crew_members (role_id, status);
CREATE INDEX crew_members_account ON crew_members (account_id, id);
