-- who does what, planned for many at once
CREATE TABLE rounds (
    id                uuid PRIMARY KEY NOT NULL,
    title             text NOT NULL,
    -- over a batch; without one over a region
    batch_id          uuid REFERENCES batches (id),
    region_id         uuid NOT NULL REFERENCES regions (id),
    -- whose volunteers are considered
    people_region_id  uuid NOT NULL REFERENCES regions (id),
    with_wishes       boolean NOT NULL,
    party_only        boolean NOT NULL,
    places_per_person integer NOT NULL,
    created_by        uuid NOT NULL REFERENCES accounts (id),
    status            text NOT NULL,
    status_since      timestamptz NOT NULL,
    -- the number of the plan that holds; 0 before the first
    plan_number       integer NOT NULL,
    -- whether something was changed since that plan
    is_edited         boolean NOT NULL,
    -- why the last planning failed
    failure           text,
    -- who sent its invitations, and how
    committed_by      uuid REFERENCES accounts (id),
    answer_hours      integer NOT NULL,
    is_automatic      boolean NOT NULL,
    resolves_left     integer NOT NULL,
    -- whether the plan that is made is sent by itself
    goes_on           boolean NOT NULL,
    note              text NOT NULL,
    version           integer NOT NULL,
    created_at        timestamptz NOT NULL
);
CREATE INDEX rounds_batch ON rounds (batch_id);
CREATE INDEX rounds_region ON rounds (region_id, id);
CREATE INDEX rounds_people_region ON rounds (people_region_id);
CREATE INDEX rounds_creator ON rounds (created_by);
CREATE INDEX rounds_committer ON rounds (committed_by);
CREATE INDEX rounds_since ON rounds (status, status_since);

CREATE TABLE round_plans (
    id              uuid PRIMARY KEY NOT NULL,
    round_id        uuid NOT NULL REFERENCES rounds (id),
    -- none while it is written
    number          integer,
    people          integer NOT NULL,
    needs           integer NOT NULL,
    pairs           bigint NOT NULL,
    assigned        integer NOT NULL,
    kept            integer NOT NULL,
    without_place   integer NOT NULL,
    free_places     bigint NOT NULL,
    -- in millionths of a point of the score
    total           bigint NOT NULL,
    kept_total      bigint NOT NULL,
    upper_bound     double precision NOT NULL,
    greedy_assigned integer NOT NULL,
    greedy_total    bigint NOT NULL,
    seconds         double precision NOT NULL,
    weights_version integer NOT NULL,
    weights         jsonb NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX round_plans_number ON round_plans (round_id, number);
CREATE INDEX round_plans_unused ON round_plans (number, created_at);

CREATE TABLE round_needs (
    plan_id    uuid NOT NULL REFERENCES round_plans (id),
    number     integer NOT NULL,
    need_kind  text NOT NULL,
    -- the wish or role
    need_id    uuid NOT NULL,
    title      text NOT NULL,
    places     integer NOT NULL,
    assigned   integer NOT NULL,
    candidates integer NOT NULL,
    price      double precision NOT NULL,
    reason     text,
    codes      jsonb NOT NULL,
    PRIMARY KEY (plan_id, number)
);
CREATE UNIQUE INDEX round_needs_once ON round_needs (plan_id, need_id);

CREATE TABLE round_people (
    plan_id    uuid NOT NULL REFERENCES round_plans (id),
    number     integer NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id),
    pseudonym  text NOT NULL,
    places     integer NOT NULL,
    assigned   integer NOT NULL,
    candidates integer NOT NULL,
    reason     text,
    codes      jsonb NOT NULL,
    PRIMARY KEY (plan_id, number)
);
CREATE UNIQUE INDEX round_people_once ON round_people (plan_id, pseudonym);
CREATE INDEX round_people_account ON round_people (account_id);

-- what is in the plan, in the greedy one or in the plan before
CREATE TABLE round_assignments (
    plan_id    uuid NOT NULL REFERENCES round_plans (id),
    number     integer NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id),
    need_kind  text NOT NULL,
    need_id    uuid NOT NULL,
    title      text NOT NULL,
    score      double precision NOT NULL,
    factors    jsonb NOT NULL,
    in_plan    boolean NOT NULL,
    in_greedy  boolean NOT NULL,
    in_former  boolean NOT NULL,
    is_kept    boolean NOT NULL,
    PRIMARY KEY (plan_id, number)
);
CREATE INDEX round_assignments_account ON round_assignments (account_id);
CREATE INDEX round_assignments_need ON round_assignments (plan_id, need_id, number);

-- what was solved and what proves how good it is, in columns of numbers, in parts
CREATE TABLE round_columns (
    plan_id uuid NOT NULL REFERENCES round_plans (id),
    name    text NOT NULL,
    part    integer NOT NULL,
    data    bytea NOT NULL,
    PRIMARY KEY (plan_id, name, part)
);

-- what the coordinator sets by hand
CREATE TABLE round_locks (
    id         uuid PRIMARY KEY NOT NULL,
    round_id   uuid NOT NULL REFERENCES rounds (id),
    kind       text NOT NULL,
    account_id uuid REFERENCES accounts (id),
    need_kind  text,
    need_id    uuid,
    -- what the person and the need are called in the round
    pseudonym  text,
    title      text,
    -- why the last plan could not keep it
    refusal    text,
    created_by uuid NOT NULL REFERENCES accounts (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX round_locks_round ON round_locks (round_id, id);
CREATE INDEX round_locks_account ON round_locks (account_id);
CREATE INDEX round_locks_creator ON round_locks (created_by);

-- what became of the pairs of a plan that was sent; an invitation is forgotten before its round may be
CREATE TABLE round_invitations (
    round_id      uuid NOT NULL REFERENCES rounds (id),
    plan_number   integer NOT NULL,
    number        integer NOT NULL,
    account_id    uuid NOT NULL REFERENCES accounts (id),
    need_kind     text NOT NULL,
    need_id       uuid NOT NULL,
    title         text NOT NULL,
    score         double precision NOT NULL,
    claim_id      uuid REFERENCES project_claims (id),
    invitation_id uuid,
    code          text,
    status        text NOT NULL,
    status_since  timestamptz NOT NULL,
    PRIMARY KEY (round_id, plan_number, number)
);
CREATE INDEX round_invitations_account ON round_invitations (account_id);
CREATE INDEX round_invitations_need ON round_invitations (round_id, need_id, status);
CREATE INDEX round_invitations_claim ON round_invitations (claim_id);
CREATE UNIQUE INDEX round_invitations_sent ON round_invitations (invitation_id);
