-- whether activities in a region, and below it, are published after a review
CREATE TABLE activity_policies (
    region_id BLOB PRIMARY KEY NOT NULL REFERENCES regions (id),
    review    INTEGER NOT NULL,
    set_by    BLOB NOT NULL REFERENCES accounts (id),
    set_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_policies_setter ON activity_policies (set_by);

CREATE TABLE activity_series (
    id         BLOB PRIMARY KEY NOT NULL,
    author_id  BLOB NOT NULL REFERENCES accounts (id),
    -- RFC 5545: the value of RRULE, and the days of EXDATE and RDATE
    rule       TEXT NOT NULL,
    exdates    TEXT NOT NULL,
    rdates     TEXT NOT NULL,
    -- counts the changes of its activities
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_series_author ON activity_series (author_id);

CREATE TABLE activities (
    id                   BLOB PRIMARY KEY NOT NULL,
    -- one of a series, and where in it: the instant that its rule gives
    series_id            BLOB REFERENCES activity_series (id),
    recurs_at            INTEGER,
    -- of a claimed project; without one, an organisation's own work
    project_id           BLOB REFERENCES projects (id),
    claim_id             BLOB REFERENCES project_claims (id),
    -- who organises it: an organisation, or the person who claimed the project
    organization_id      BLOB REFERENCES organizations (id),
    leader_id            BLOB REFERENCES accounts (id),
    author_id            BLOB NOT NULL REFERENCES accounts (id),
    region_id            BLOB NOT NULL REFERENCES regions (id),
    title                TEXT NOT NULL,
    summary              TEXT NOT NULL,
    life_cycle           TEXT NOT NULL,
    place                TEXT NOT NULL,
    meeting_point        TEXT NOT NULL,
    longitude            REAL,
    latitude             REAL,
    risk_notice          TEXT NOT NULL,
    minors               INTEGER NOT NULL,
    dangerous            INTEGER NOT NULL,
    party_only           INTEGER NOT NULL,
    insurance_policy     TEXT,
    insurance_from       TEXT,
    insurance_until      TEXT,
    min_age              INTEGER,
    max_age              INTEGER,
    -- only for volunteers who live in this region or below it
    volunteers_region_id BLOB REFERENCES regions (id),
    -- half-open, from the first of its shifts to the last
    starts_at            INTEGER NOT NULL,
    ends_at              INTEGER NOT NULL,
    enrolment_opens_at   INTEGER,
    enrolment_closes_at  INTEGER NOT NULL,
    withdrawal_hours     INTEGER NOT NULL,
    -- when its time or place was last changed after it was published
    changed_at           INTEGER,
    -- when it was last found not fit to begin
    held_up_at           INTEGER,
    -- when it began
    began_at             INTEGER,
    -- counts the changes of its place: whoever stands in it hears of each
    news                 INTEGER NOT NULL,
    status               TEXT NOT NULL,
    status_since         INTEGER NOT NULL,
    -- why it was returned or cancelled, in the words of who did it
    reason               TEXT,
    version              INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK ((organization_id IS NULL) <> (leader_id IS NULL))
) STRICT;
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
    id            BLOB PRIMARY KEY NOT NULL,
    activity_id   BLOB NOT NULL REFERENCES activities (id),
    place         INTEGER NOT NULL,
    name          TEXT NOT NULL,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    seats         INTEGER NOT NULL,
    -- how many of them are held: counted up and down by compare-and-set
    taken         INTEGER NOT NULL,
    -- how many have ever joined its line: gives each the next number there
    queued        INTEGER NOT NULL,
    -- of work with minors: whether it was found at its beginning that two vetted adults come
    held          INTEGER,
    -- a kind of qualification its holder must have
    qualification TEXT,
    -- [{skill, level, required, importance}]
    skills        TEXT NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK (taken BETWEEN 0 AND seats)
) STRICT;
CREATE INDEX activity_shifts_activity ON activity_shifts (activity_id, place);

CREATE TABLE enrolments (
    id           BLOB PRIMARY KEY NOT NULL,
    activity_id  BLOB NOT NULL REFERENCES activities (id),
    shift_id     BLOB NOT NULL REFERENCES activity_shifts (id),
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    -- who enrolled the person, unless the person did
    invited_by   BLOB REFERENCES accounts (id),
    status       TEXT NOT NULL,
    status_since INTEGER NOT NULL,
    -- whether it holds a seat of its shift, and with it the person's time
    holds_seat   INTEGER NOT NULL,
    -- those of its shift
    starts_at    INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    -- its number in the line, and when the line last passed it over, as something was in the way
    queue_no     INTEGER,
    skipped_at   INTEGER,
    -- until when a pending one may be accepted
    accept_by    INTEGER,
    ended_at     INTEGER,
    -- why it ended, in the words of who ended it
    reason       TEXT,
    -- the last news of its activity that the person was told, and when time or place changed last for them
    heard        INTEGER NOT NULL,
    changed_at   INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
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

-- nobody is in two places at once; half-open: 9-10 and 10-11 do not collide
CREATE TRIGGER enrolments_overlap_insert BEFORE INSERT ON enrolments WHEN NEW.holds_seat BEGIN
    SELECT RAISE(ABORT, 'enrolments_overlap') FROM enrolments
    WHERE account_id = NEW.account_id AND holds_seat
        AND starts_at < NEW.ends_at AND NEW.starts_at < ends_at;
END;
CREATE TRIGGER enrolments_overlap_update BEFORE UPDATE OF account_id, holds_seat, starts_at, ends_at
ON enrolments WHEN NEW.holds_seat BEGIN
    SELECT RAISE(ABORT, 'enrolments_overlap') FROM enrolments
    WHERE account_id = NEW.account_id AND holds_seat AND id <> NEW.id
        AND starts_at < NEW.ends_at AND NEW.starts_at < ends_at;
END;
