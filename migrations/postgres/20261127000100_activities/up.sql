-- equality inside of exclusion constraints; a trusted extension: the owner of the database may create it
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- whether activities in a region, and below it, are published after a review
CREATE TABLE activity_policies (
    region_id uuid PRIMARY KEY REFERENCES regions (id),
    review    boolean NOT NULL,
    set_by    uuid NOT NULL REFERENCES accounts (id),
    set_at    timestamptz NOT NULL
);
CREATE INDEX activity_policies_setter ON activity_policies (set_by);

CREATE TABLE activity_series (
    id         uuid PRIMARY KEY,
    author_id  uuid NOT NULL REFERENCES accounts (id),
    -- RFC 5545: the value of RRULE, and the days of EXDATE and RDATE
    rule       text NOT NULL,
    exdates    jsonb NOT NULL,
    rdates     jsonb NOT NULL,
    -- counts the changes of its activities
    version    integer NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX activity_series_author ON activity_series (author_id);

CREATE TABLE activities (
    id                   uuid PRIMARY KEY,
    -- one of a series, and where in it: the instant that its rule gives
    series_id            uuid REFERENCES activity_series (id),
    recurs_at            timestamptz,
    -- of a claimed project; without one, an organisation's own work
    project_id           uuid REFERENCES projects (id),
    claim_id             uuid REFERENCES project_claims (id),
    -- who organises it: an organisation, or the person who claimed the project
    organization_id      uuid REFERENCES organizations (id),
    leader_id            uuid REFERENCES accounts (id),
    author_id            uuid NOT NULL REFERENCES accounts (id),
    region_id            uuid NOT NULL REFERENCES regions (id),
    title                text NOT NULL,
    summary              text NOT NULL,
    life_cycle           text NOT NULL,
    place                text NOT NULL,
    meeting_point        text NOT NULL,
    longitude            double precision,
    latitude             double precision,
    risk_notice          text NOT NULL,
    minors               boolean NOT NULL,
    dangerous            boolean NOT NULL,
    party_only           boolean NOT NULL,
    insurance_policy     text,
    insurance_from       date,
    insurance_until      date,
    min_age              integer,
    max_age              integer,
    -- only for volunteers who live in this region or below it
    volunteers_region_id uuid REFERENCES regions (id),
    -- half-open, from the first of its shifts to the last
    starts_at            timestamptz NOT NULL,
    ends_at              timestamptz NOT NULL,
    enrolment_opens_at   timestamptz,
    enrolment_closes_at  timestamptz NOT NULL,
    withdrawal_hours     integer NOT NULL,
    -- when its time or place was last changed after it was published
    changed_at           timestamptz,
    -- when it was last found not fit to begin
    held_up_at           timestamptz,
    -- when it began
    began_at             timestamptz,
    -- counts the changes of its place: whoever stands in it hears of each
    news                 integer NOT NULL,
    status               text NOT NULL,
    status_since         timestamptz NOT NULL,
    -- why it was returned or cancelled, in the words of who did it
    reason               text,
    version              integer NOT NULL,
    created_at           timestamptz NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK ((organization_id IS NULL) <> (leader_id IS NULL))
);
CREATE UNIQUE INDEX activities_series ON activities (series_id, recurs_at);
CREATE INDEX activities_project ON activities (project_id, starts_at);
CREATE INDEX activities_claim ON activities (claim_id, status);
CREATE INDEX activities_organization ON activities (organization_id, starts_at);
CREATE INDEX activities_leader ON activities (leader_id, starts_at);
CREATE INDEX activities_author ON activities (author_id);
CREATE INDEX activities_region ON activities (region_id, starts_at);
CREATE INDEX activities_volunteers_region ON activities (volunteers_region_id);
CREATE INDEX activities_begin ON activities (status, starts_at);
CREATE INDEX activities_end ON activities (status, ends_at);
CREATE INDEX activities_enrolment ON activities (status, enrolment_closes_at);

-- a role in an activity, from when to when
CREATE TABLE activity_shifts (
    id            uuid PRIMARY KEY,
    activity_id   uuid NOT NULL REFERENCES activities (id),
    place         integer NOT NULL,
    name          text NOT NULL,
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    seats         integer NOT NULL,
    -- how many of them are held: counted up and down by compare-and-set
    taken         integer NOT NULL,
    -- how many have ever joined its line: gives each the next number there
    queued        integer NOT NULL,
    -- of work with minors: whether it was found at its beginning that two vetted adults come
    held          boolean,
    -- a kind of qualification its holder must have
    qualification text,
    -- [{skill, level, required, importance}]
    skills        jsonb NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK (taken BETWEEN 0 AND seats)
);
CREATE INDEX activity_shifts_activity ON activity_shifts (activity_id, place);

CREATE TABLE enrolments (
    id           uuid PRIMARY KEY,
    activity_id  uuid NOT NULL REFERENCES activities (id),
    shift_id     uuid NOT NULL REFERENCES activity_shifts (id),
    account_id   uuid NOT NULL REFERENCES accounts (id),
    -- who enrolled the person, unless the person did
    invited_by   uuid REFERENCES accounts (id),
    status       text NOT NULL,
    status_since timestamptz NOT NULL,
    -- whether it holds a seat of its shift, and with it the person's time
    holds_seat   boolean NOT NULL,
    -- those of its shift
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    -- its number in the line, and when the line last passed it over, as something was in the way
    queue_no     integer,
    skipped_at   timestamptz,
    -- until when a pending one may be accepted
    accept_by    timestamptz,
    ended_at     timestamptz,
    -- why it ended, in the words of who ended it
    reason       text,
    -- the last news of its activity that the person was told, and when time or place changed last for them
    heard        integer NOT NULL,
    changed_at   timestamptz,
    created_at   timestamptz NOT NULL,
    -- nobody is in two places at once; half-open: 9-10 and 10-11 do not collide
    CONSTRAINT enrolments_overlap EXCLUDE USING gist
        (account_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (holds_seat)
);
-- a person stands once in a shift
CREATE UNIQUE INDEX enrolments_once ON enrolments (shift_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX enrolments_activity ON enrolments (activity_id, status, id);
CREATE INDEX enrolments_of_activity ON enrolments (activity_id, id);
CREATE INDEX enrolments_person ON enrolments (activity_id, account_id, id);
CREATE INDEX enrolments_shift ON enrolments (shift_id, status, queue_no);
-- how often somebody has asked for a place in a shift
CREATE INDEX enrolments_asked ON enrolments (account_id, shift_id);
-- lines that end as their shifts begin, and those to be looked at again
CREATE INDEX enrolments_begin ON enrolments (status, starts_at);
CREATE INDEX enrolments_skipped ON enrolments (status, skipped_at);
CREATE INDEX enrolments_account ON enrolments (account_id, starts_at, id);
CREATE INDEX enrolments_inviter ON enrolments (invited_by);
CREATE INDEX enrolments_accept ON enrolments (status, accept_by);
