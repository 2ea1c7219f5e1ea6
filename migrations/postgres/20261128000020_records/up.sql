-- who did what service, from when to when: one for each attendance
CREATE TABLE service_records (
    id              uuid PRIMARY KEY,
    attendance_id   uuid NOT NULL REFERENCES attendances (id),
    account_id      uuid NOT NULL REFERENCES accounts (id),
    activity_id     uuid NOT NULL REFERENCES activities (id),
    shift_id        uuid NOT NULL REFERENCES activity_shifts (id),
    -- who records and certifies; without one, the staff of the region that published the project
    organization_id uuid REFERENCES organizations (id),
    project_id      uuid REFERENCES projects (id),
    region_id       uuid NOT NULL REFERENCES regions (id),
    track           text NOT NULL,
    status          text NOT NULL,
    status_since    timestamptz NOT NULL,
    -- the time of service, half-open; none where it is not known when the person went
    starts_at       timestamptz,
    ends_at         timestamptz,
    -- what stands in the ledger once it is confirmed, and before that what would
    minutes         integer NOT NULL,
    -- what the daily cap cut away
    capped_minutes  integer NOT NULL,
    -- whether it stands in the ledger, and with it takes the person's time
    is_credited     boolean NOT NULL,
    -- organizer | staff | clock
    confirmed_by    text,
    -- whether its times were set by hand: what becomes of the attendance changes them no more
    is_by_hand      boolean NOT NULL,
    -- what the person says it was, while it is disputed
    claimed_from    timestamptz,
    claimed_until   timestamptz,
    disputed_at     timestamptz,
    appealed_at     timestamptz,
    -- why it stands where it stands, in the words of who moved it
    reason          text,
    -- which of the reminders were sent
    reminded        integer NOT NULL,
    version         integer NOT NULL,
    created_at      timestamptz NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK ((starts_at IS NULL) = (ends_at IS NULL)),
    CHECK (minutes >= 0 AND capped_minutes >= 0),
    CHECK (NOT is_credited OR (starts_at IS NOT NULL AND minutes > 0)),
    -- a person's time counts once; half-open: 9-10 and 10-11 do not collide
    CONSTRAINT service_records_overlap EXCLUDE USING gist
        (account_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&) WHERE (is_credited)
);
CREATE UNIQUE INDEX service_records_once ON service_records (attendance_id);
CREATE INDEX service_records_account ON service_records (account_id, id);
CREATE INDEX service_records_time ON service_records (account_id, is_credited, starts_at);
CREATE INDEX service_records_activity ON service_records (activity_id, status, id);
CREATE INDEX service_records_shift ON service_records (shift_id);
CREATE INDEX service_records_organization ON service_records (organization_id, status);
CREATE INDEX service_records_project ON service_records (project_id);
CREATE INDEX service_records_region ON service_records (region_id);
-- those that the clock looks at
CREATE INDEX service_records_due ON service_records (status, reminded, created_at);
CREATE INDEX service_records_since ON service_records (status, status_since);

-- the ledger: a row for each record and day on the wall, never changed, never deleted
CREATE TABLE hour_entries (
    id          uuid PRIMARY KEY,
    record_id   uuid NOT NULL REFERENCES service_records (id),
    account_id  uuid NOT NULL REFERENCES accounts (id),
    day         date NOT NULL,
    kind        text NOT NULL,
    minutes     integer NOT NULL,
    -- of a counter-entry, the entry that it takes back
    counters_id uuid REFERENCES hour_entries (id),
    -- who made it; none for the clock
    made_by     uuid REFERENCES accounts (id),
    reason      text,
    made_at     timestamptz NOT NULL,
    CHECK ((kind = 'credit' AND counters_id IS NULL AND minutes BETWEEN 1 AND 1440)
        OR (kind = 'counter' AND counters_id IS NOT NULL AND minutes BETWEEN -1440 AND -1))
);
CREATE UNIQUE INDEX hour_entries_counters ON hour_entries (counters_id);
CREATE INDEX hour_entries_record ON hour_entries (record_id, id);
CREATE INDEX hour_entries_account ON hour_entries (account_id, day);
CREATE INDEX hour_entries_maker ON hour_entries (made_by);
CREATE FUNCTION hour_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hour_entries_append_only';
END $$;
CREATE TRIGGER hour_entries_no_change BEFORE UPDATE OR DELETE ON hour_entries
    FOR EACH ROW EXECUTE FUNCTION hour_entries_append_only();
CREATE TRIGGER hour_entries_no_truncate BEFORE TRUNCATE ON hour_entries
    FOR EACH STATEMENT EXECUTE FUNCTION hour_entries_append_only();

-- what a person has credited for a day, over all organisations: counted by compare-and-set against the cap
CREATE TABLE service_days (
    account_id uuid NOT NULL REFERENCES accounts (id),
    day        date NOT NULL,
    minutes    integer NOT NULL,
    PRIMARY KEY (account_id, day),
    CHECK (minutes BETWEEN 0 AND 1440)
);

-- the sums of the ledger by day, of a person, an organisation, a project or a region itself
CREATE TABLE hour_sums (
    scope    text NOT NULL,
    scope_id uuid NOT NULL,
    track    text NOT NULL,
    day      date NOT NULL,
    minutes  integer NOT NULL,
    PRIMARY KEY (scope, scope_id, track, day),
    CHECK (minutes >= 0)
);
