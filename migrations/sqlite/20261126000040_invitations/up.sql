-- a running search for people for a need, in waves of invitations
CREATE TABLE recruitments (
    id              BLOB PRIMARY KEY NOT NULL,
    need_kind       TEXT NOT NULL,
    -- the wish or role
    need_id         BLOB NOT NULL,
    -- for which crew of a role
    claim_id        BLOB REFERENCES project_claims (id),
    started_by      BLOB NOT NULL REFERENCES accounts (id),
    organization_id BLOB REFERENCES organizations (id),
    -- how many are asked at once, and how long each may take
    size            INTEGER NOT NULL,
    hours           INTEGER NOT NULL,
    note            TEXT NOT NULL,
    max_waves       INTEGER NOT NULL,
    wave            INTEGER NOT NULL,
    status          TEXT NOT NULL,
    status_since    INTEGER NOT NULL,
    reason          TEXT,
    -- when the next look at it is due; none while only something that happens can move it on
    due_at          INTEGER,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
-- a crew, or a wish, is searched for once at a time
CREATE UNIQUE INDEX recruitments_once ON recruitments (need_id) WHERE status = 'running' AND claim_id IS NULL;
CREATE UNIQUE INDEX recruitments_of_claim_once ON recruitments (need_id, claim_id) WHERE status = 'running';
CREATE INDEX recruitments_need ON recruitments (need_id, id);
CREATE INDEX recruitments_claim ON recruitments (claim_id);
CREATE INDEX recruitments_starter ON recruitments (started_by);
CREATE INDEX recruitments_organization ON recruitments (organization_id);
CREATE INDEX recruitments_due ON recruitments (status, due_at);

-- every invitation of a person to a need, by a wave or by hand
CREATE TABLE invitations (
    id              BLOB PRIMARY KEY NOT NULL,
    need_kind       TEXT NOT NULL,
    need_id         BLOB NOT NULL,
    claim_id        BLOB REFERENCES project_claims (id),
    -- none for one that was sent by hand
    recruitment_id  BLOB REFERENCES recruitments (id),
    wave            INTEGER NOT NULL,
    account_id      BLOB NOT NULL REFERENCES accounts (id),
    invited_by      BLOB NOT NULL REFERENCES accounts (id),
    organization_id BLOB REFERENCES organizations (id),
    note            TEXT NOT NULL,
    -- 0 to 100, when it was sent
    score           REAL,
    status          TEXT NOT NULL,
    status_since    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- the person's own, or the organiser's
    reason          TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_need ON invitations (need_id, id);
CREATE INDEX invitations_claim ON invitations (claim_id);
CREATE INDEX invitations_recruitment ON invitations (recruitment_id, status);
CREATE INDEX invitations_account ON invitations (account_id, created_at);
CREATE INDEX invitations_inviter ON invitations (invited_by);
CREATE INDEX invitations_organization ON invitations (organization_id);
CREATE INDEX invitations_expiry ON invitations (status, expires_at);
CREATE INDEX invitations_since ON invitations (status_since);

-- needs that a person does not want to hear of
CREATE TABLE dismissed_needs (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    need_kind  TEXT NOT NULL,
    need_id    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, need_id)
) STRICT;

-- from whom a person takes no invitations: one account or organisation, or, without both, anybody
CREATE TABLE invitation_blocks (
    id              BLOB PRIMARY KEY NOT NULL,
    account_id      BLOB NOT NULL REFERENCES accounts (id),
    blocked_id      BLOB REFERENCES accounts (id),
    organization_id BLOB REFERENCES organizations (id),
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX invitation_blocks_account ON invitation_blocks (account_id, id);
CREATE INDEX invitation_blocks_blocked ON invitation_blocks (blocked_id);
CREATE INDEX invitation_blocks_organization ON invitation_blocks (organization_id);

-- invitations to crews were places in them; of several to the same role the last one stays
INSERT INTO invitations
SELECT m.id, 'project_role', m.role_id, m.claim_id, NULL, 0, m.account_id,
       COALESCE(c.person_id, c.applied_by), c.organization_id, m.note, NULL,
       CASE m.status WHEN 'invited' THEN 'open' WHEN 'refused' THEN 'declined' ELSE 'cancelled' END,
       m.status_since, m.created_at + 3 * 86400000000, NULL, m.created_at
FROM crew_members m JOIN project_claims c ON c.id = m.claim_id
WHERE m.status IN ('invited', 'refused', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM crew_members n
                  WHERE n.role_id = m.role_id AND n.account_id = m.account_id AND n.id > m.id
                    AND n.status IN ('invited', 'refused', 'cancelled'));
DELETE FROM crew_members WHERE status IN ('invited', 'refused', 'cancelled');
-- who was only asked when a crew was disbanded was never in it
DELETE FROM crew_members WHERE status = 'disbanded' AND EXISTS (
    SELECT 1 FROM journal j WHERE j.subject_id = crew_members.id
       AND j.kind = 'crew_member.disband' AND j.from_state = 'invited');
UPDATE notifications SET kind = 'invited' WHERE kind = 'crew_invitation';
UPDATE notifications SET kind = 'invitation_declined' WHERE kind = 'crew_refused';
UPDATE notification_preferences SET kind = 'invited' WHERE kind = 'crew_invitation';
UPDATE notification_preferences SET kind = 'invitation_declined' WHERE kind = 'crew_refused';

-- nobody is asked twice for the same, unless it was no answer of theirs that ended it
CREATE UNIQUE INDEX invitations_once ON invitations (need_id, account_id)
    WHERE status <> 'cancelled' AND status <> 'closed';
