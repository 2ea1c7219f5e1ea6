CREATE TABLE campaigns (
    id           BLOB PRIMARY KEY NOT NULL,
    region_id    BLOB NOT NULL REFERENCES regions (id),
    name         TEXT NOT NULL,
    introduction TEXT NOT NULL,
    created_by   BLOB NOT NULL REFERENCES accounts (id),
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX campaigns_region ON campaigns (region_id, id);
CREATE INDEX campaigns_creator ON campaigns (created_by);

CREATE TABLE batches (
    id          BLOB PRIMARY KEY NOT NULL,
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    name        TEXT NOT NULL,
    -- the half-open window in which its projects may be claimed
    opens_at    INTEGER NOT NULL,
    closes_at   INTEGER NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX batches_campaign ON batches (campaign_id, id);

CREATE TABLE projects (
    id                BLOB PRIMARY KEY NOT NULL,
    batch_id          BLOB REFERENCES batches (id),
    region_id         BLOB NOT NULL REFERENCES regions (id),
    -- the organisation that published it; none when the region itself did
    organization_id   BLOB REFERENCES organizations (id),
    author_id         BLOB NOT NULL REFERENCES accounts (id),
    title             TEXT NOT NULL,
    summary           TEXT NOT NULL,
    field             TEXT NOT NULL,
    life_cycle        TEXT NOT NULL,
    beneficiary_group TEXT,
    risk_notice       TEXT NOT NULL,
    minors            INTEGER NOT NULL,
    dangerous         INTEGER NOT NULL,
    party_only        INTEGER NOT NULL,
    insurance_policy  TEXT,
    insurance_from    TEXT,
    insurance_until   TEXT,
    claim_mode        TEXT NOT NULL,
    allows_person     INTEGER NOT NULL,
    -- how many may hold a claim at once
    claim_seats       INTEGER NOT NULL,
    starts_on         TEXT NOT NULL,
    ends_on           TEXT NOT NULL,
    longitude         REAL,
    latitude          REAL,
    status            TEXT NOT NULL,
    status_since      INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX projects_region ON projects (region_id, status, id);
CREATE INDEX projects_status ON projects (status, id);
CREATE INDEX projects_batch ON projects (batch_id, id);
CREATE INDEX projects_organization ON projects (organization_id, id);
CREATE INDEX projects_author ON projects (author_id, id);

CREATE TABLE project_roles (
    id            BLOB PRIMARY KEY NOT NULL,
    project_id    BLOB NOT NULL REFERENCES projects (id),
    place         INTEGER NOT NULL,
    name          TEXT NOT NULL,
    seats         INTEGER NOT NULL,
    -- a kind of qualification its holder must have
    qualification TEXT,
    -- [{skill, level, required, importance}]
    skills        TEXT NOT NULL,
    -- [{weekday, from_minute, to_minute}]
    hours         TEXT NOT NULL
) STRICT;
CREATE INDEX project_roles_project ON project_roles (project_id, place);

CREATE TABLE project_claims (
    id              BLOB PRIMARY KEY NOT NULL,
    project_id      BLOB NOT NULL REFERENCES projects (id),
    -- who claims: an organisation or a person
    organization_id BLOB REFERENCES organizations (id),
    person_id       BLOB REFERENCES accounts (id),
    applied_by      BLOB NOT NULL REFERENCES accounts (id),
    proposal        TEXT NOT NULL,
    status          TEXT NOT NULL,
    status_since    INTEGER NOT NULL,
    -- which of the project's claim seats it holds
    seat            INTEGER,
    lease_until     INTEGER,
    plan            TEXT,
    report          TEXT,
    people_served   INTEGER,
    ended_at        INTEGER,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
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
    id         BLOB PRIMARY KEY NOT NULL,
    claim_id   BLOB NOT NULL REFERENCES project_claims (id),
    author_id  BLOB NOT NULL REFERENCES accounts (id),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX claim_progress_claim ON claim_progress (claim_id, id);
CREATE INDEX claim_progress_author ON claim_progress (author_id);

CREATE TABLE claim_photos (
    id          BLOB PRIMARY KEY NOT NULL,
    claim_id    BLOB NOT NULL REFERENCES project_claims (id),
    -- the entry that shows it; none until an entry or the report does
    progress_id BLOB REFERENCES claim_progress (id),
    in_report   INTEGER NOT NULL,
    photo       TEXT NOT NULL,
    thumbnail   TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX claim_photos_claim ON claim_photos (claim_id, id);
CREATE INDEX claim_photos_progress ON claim_photos (progress_id);

CREATE TABLE crew_members (
    id           BLOB PRIMARY KEY NOT NULL,
    claim_id     BLOB NOT NULL REFERENCES project_claims (id),
    role_id      BLOB NOT NULL REFERENCES project_roles (id),
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    note         TEXT NOT NULL,
    status       TEXT NOT NULL,
    status_since INTEGER NOT NULL,
    ended_at     INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
-- a person stands once in a crew
CREATE UNIQUE INDEX crew_members_once ON crew_members (claim_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX crew_members_claim ON crew_members (claim_id, status, id);
CREATE INDEX crew_members_role ON crew_members (role_id, status);
CREATE INDEX crew_members_account ON crew_members (account_id, id);
