-- who does what, planned for many at once
CREATE TABLE rounds (
    id                BLOB PRIMARY KEY NOT NULL,
    title             TEXT NOT NULL,
    -- over a batch; without one over a region
    batch_id          BLOB REFERENCES batches (id),
    region_id         BLOB NOT NULL REFERENCES regions (id),
    -- whose volunteers are considered
    people_region_id  BLOB NOT NULL REFERENCES regions (id),
    with_wishes       INTEGER NOT NULL,
    party_only        INTEGER NOT NULL,
    places_per_person INTEGER NOT NULL,
    created_by        BLOB NOT NULL REFERENCES accounts (id),
    status            TEXT NOT NULL,
    status_since      INTEGER NOT NULL,
    -- the number of the plan that holds; 0 before the first
    plan_number       INTEGER NOT NULL,
    -- whether something was changed since that plan
    is_edited         INTEGER NOT NULL,
    -- why the last planning failed
    failure           TEXT,
    -- who sent its invitations, and how
    committed_by      BLOB REFERENCES accounts (id),
    answer_hours      INTEGER NOT NULL,
    is_automatic      INTEGER NOT NULL,
    resolves_left     INTEGER NOT NULL,
    -- whether the plan that is made is sent by itself
    goes_on           INTEGER NOT NULL,
    note              TEXT NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX rounds_batch ON rounds (batch_id);
CREATE INDEX rounds_region ON rounds (region_id, id);
CREATE INDEX rounds_people_region ON rounds (people_region_id);
CREATE INDEX rounds_creator ON rounds (created_by);
CREATE INDEX rounds_committer ON rounds (committed_by);
CREATE INDEX rounds_since ON rounds (status, status_since);

CREATE TABLE round_plans (
    id              BLOB PRIMARY KEY NOT NULL,
    round_id        BLOB NOT NULL REFERENCES rounds (id),
    -- none while it is written
    number          INTEGER,
    people          INTEGER NOT NULL,
    needs           INTEGER NOT NULL,
    pairs           INTEGER NOT NULL,
    assigned        INTEGER NOT NULL,
    kept            INTEGER NOT NULL,
    without_place   INTEGER NOT NULL,
    free_places     INTEGER NOT NULL,
    -- in millionths of a point of the score
    total           INTEGER NOT NULL,
    kept_total      INTEGER NOT NULL,
    upper_bound     REAL NOT NULL,
    greedy_assigned INTEGER NOT NULL,
    greedy_total    INTEGER NOT NULL,
    seconds         REAL NOT NULL,
    weights_version INTEGER NOT NULL,
    weights         TEXT NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX round_plans_number ON round_plans (round_id, number);
CREATE INDEX round_plans_unused ON round_plans (number, created_at);

CREATE TABLE round_needs (
    plan_id    BLOB NOT NULL REFERENCES round_plans (id),
    number     INTEGER NOT NULL,
    need_kind  TEXT NOT NULL,
    -- the wish or role
    need_id    BLOB NOT NULL,
    title      TEXT NOT NULL,
    places     INTEGER NOT NULL,
    assigned   INTEGER NOT NULL,
    candidates INTEGER NOT NULL,
    price      REAL NOT NULL,
    reason     TEXT,
    codes      TEXT NOT NULL,
    PRIMARY KEY (plan_id, number)
) STRICT;
CREATE UNIQUE INDEX round_needs_once ON round_needs (plan_id, need_id);

CREATE TABLE round_people (
    plan_id    BLOB NOT NULL REFERENCES round_plans (id),
    number     INTEGER NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    pseudonym  TEXT NOT NULL,
    places     INTEGER NOT NULL,
    assigned   INTEGER NOT NULL,
    candidates INTEGER NOT NULL,
    reason     TEXT,
    codes      TEXT NOT NULL,
    PRIMARY KEY (plan_id, number)
) STRICT;
CREATE UNIQUE INDEX round_people_once ON round_people (plan_id, pseudonym);
CREATE INDEX round_people_account ON round_people (account_id);

-- what is in the plan, in the greedy one or in the plan before
CREATE TABLE round_assignments (
    plan_id    BLOB NOT NULL REFERENCES round_plans (id),
    number     INTEGER NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    need_kind  TEXT NOT NULL,
    need_id    BLOB NOT NULL,
    title      TEXT NOT NULL,
    score      REAL NOT NULL,
    factors    TEXT NOT NULL,
    in_plan    INTEGER NOT NULL,
    in_greedy  INTEGER NOT NULL,
    in_former  INTEGER NOT NULL,
    is_kept    INTEGER NOT NULL,
    PRIMARY KEY (plan_id, number)
) STRICT;
CREATE INDEX round_assignments_account ON round_assignments (account_id);
CREATE INDEX round_assignments_need ON round_assignments (plan_id, need_id, number);

-- what was solved and what proves how good it is, in columns of numbers, in parts
CREATE TABLE round_columns (
    plan_id BLOB NOT NULL REFERENCES round_plans (id),
    name    TEXT NOT NULL,
    part    INTEGER NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (plan_id, name, part)
) STRICT;

-- what the coordinator sets by hand
CREATE TABLE round_locks (
    id         BLOB PRIMARY KEY NOT NULL,
    round_id   BLOB NOT NULL REFERENCES rounds (id),
    kind       TEXT NOT NULL,
    account_id BLOB REFERENCES accounts (id),
    need_kind  TEXT,
    need_id    BLOB,
    -- what the person and the need are called in the round
    pseudonym  TEXT,
    title      TEXT,
    -- why the last plan could not keep it
    refusal    TEXT,
    created_by BLOB NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX round_locks_round ON round_locks (round_id, id);
CREATE INDEX round_locks_account ON round_locks (account_id);
CREATE INDEX round_locks_creator ON round_locks (created_by);

-- what became of the pairs of a plan that was sent; an invitation is forgotten before its round may be
CREATE TABLE round_invitations (
    round_id      BLOB NOT NULL REFERENCES rounds (id),
    plan_number   INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    account_id    BLOB NOT NULL REFERENCES accounts (id),
    need_kind     TEXT NOT NULL,
    need_id       BLOB NOT NULL,
    title         TEXT NOT NULL,
    score         REAL NOT NULL,
    claim_id      BLOB REFERENCES project_claims (id),
    invitation_id BLOB,
    code          TEXT,
    status        TEXT NOT NULL,
    status_since  INTEGER NOT NULL,
    PRIMARY KEY (round_id, plan_number, number)
) STRICT;
CREATE INDEX round_invitations_account ON round_invitations (account_id);
CREATE INDEX round_invitations_need ON round_invitations (round_id, need_id, status);
CREATE INDEX round_invitations_claim ON round_invitations (claim_id);
CREATE UNIQUE INDEX round_invitations_sent ON round_invitations (invitation_id);
