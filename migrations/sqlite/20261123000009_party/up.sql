CREATE TABLE party_branches (
    id         BLOB PRIMARY KEY NOT NULL,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    region_id  BLOB NOT NULL REFERENCES regions (id),
    parent_id  BLOB REFERENCES party_branches (id),
    status     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX party_branches_code ON party_branches (code);
CREATE INDEX party_branches_region ON party_branches (region_id, code);
CREATE INDEX party_branches_parent ON party_branches (parent_id, status);

-- branch_id is plain: the branch's secretary lists by it. A dump shows that somebody declared
-- something to a branch, as the consents do, and not what: that is sealed, in a fixed width.
CREATE TABLE party_memberships (
    id         BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    branch_id  BLOB NOT NULL REFERENCES party_branches (id),
    consent_id BLOB NOT NULL REFERENCES consents (id),
    -- member, probationary member or applicant, sealed; none once it has ended
    standing   BLOB,
    status     TEXT NOT NULL,
    -- why it was rejected or ended, sealed
    reason     BLOB,
    decided_by BLOB REFERENCES accounts (id),
    decided_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX party_memberships_account ON party_memberships (account_id);
CREATE INDEX party_memberships_branch ON party_memberships (branch_id, status, id);
CREATE INDEX party_memberships_consent ON party_memberships (consent_id);
CREATE INDEX party_memberships_decided_by ON party_memberships (decided_by);
