-- who did what service, from when to when: one for each attendance
CREATE TABLE service_records (
    id              BLOB PRIMARY KEY NOT NULL,
    attendance_id   BLOB NOT NULL REFERENCES attendances (id),
    account_id      BLOB NOT NULL REFERENCES accounts (id),
    activity_id     BLOB NOT NULL REFERENCES activities (id),
    shift_id        BLOB NOT NULL REFERENCES activity_shifts (id),
    -- who records and certifies; without one, the staff of the region that published the project
    organization_id BLOB REFERENCES organizations (id),
    project_id      BLOB REFERENCES projects (id),
    region_id       BLOB NOT NULL REFERENCES regions (id),
    track           TEXT NOT NULL,
    status          TEXT NOT NULL,
    status_since    INTEGER NOT NULL,
    -- the time of service, half-open; none where it is not known when the person went
    starts_at       INTEGER,
    ends_at         INTEGER,
    -- what stands in the ledger once it is confirmed, and before that what would
    minutes         INTEGER NOT NULL,
    -- what the daily cap cut away
    capped_minutes  INTEGER NOT NULL,
    -- whether it stands in the ledger, and with it takes the person's time
    is_credited     INTEGER NOT NULL,
    -- organizer | staff | clock
    confirmed_by    TEXT,
    -- whether its times were set by hand: what becomes of the attendance changes them no more
    is_by_hand      INTEGER NOT NULL,
    -- what the person says it was, while it is disputed
    claimed_from    INTEGER,
    claimed_until   INTEGER,
    disputed_at     INTEGER,
    appealed_at     INTEGER,
    -- why it stands where it stands, in the words of who moved it
    reason          TEXT,
    -- which of the reminders were sent
    reminded        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    CHECK (starts_at < ends_at),
    CHECK ((starts_at IS NULL) = (ends_at IS NULL)),
    CHECK (minutes >= 0 AND capped_minutes >= 0),
    CHECK (NOT is_credited OR (starts_at IS NOT NULL AND minutes > 0))
) STRICT;
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
    id          BLOB PRIMARY KEY NOT NULL,
    record_id   BLOB NOT NULL REFERENCES service_records (id),
    account_id  BLOB NOT NULL REFERENCES accounts (id),
    day         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    minutes     INTEGER NOT NULL,
    -- of a counter-entry, the entry that it takes back
    counters_id BLOB REFERENCES hour_entries (id),
    -- who made it; none for the clock
    made_by     BLOB REFERENCES accounts (id),
    reason      TEXT,
    made_at     INTEGER NOT NULL,
    CHECK ((kind = 'credit' AND counters_id IS NULL AND minutes BETWEEN 1 AND 1440)
        OR (kind = 'counter' AND counters_id IS NOT NULL AND minutes BETWEEN -1440 AND -1))
) STRICT;
CREATE UNIQUE INDEX hour_entries_counters ON hour_entries (counters_id);
CREATE INDEX hour_entries_record ON hour_entries (record_id, id);
CREATE INDEX hour_entries_account ON hour_entries (account_id, day);
CREATE INDEX hour_entries_maker ON hour_entries (made_by);
CREATE TRIGGER hour_entries_no_update BEFORE UPDATE ON hour_entries BEGIN
    SELECT RAISE(ABORT, 'hour_entries_append_only');
END;
CREATE TRIGGER hour_entries_no_delete BEFORE DELETE ON hour_entries BEGIN
    SELECT RAISE(ABORT, 'hour_entries_append_only');
END;
-- INSERT OR REPLACE deletes without asking the trigger above
CREATE TRIGGER hour_entries_no_replace BEFORE INSERT ON hour_entries
WHEN EXISTS (SELECT 1 FROM hour_entries WHERE id = NEW.id OR counters_id = NEW.counters_id) BEGIN
    SELECT RAISE(ABORT, 'hour_entries_append_only');
END;
-- a person's time counts once; half-open: 9-10 and 10-11 do not collide
CREATE TRIGGER service_records_overlap_insert BEFORE INSERT ON service_records WHEN NEW.is_credited BEGIN
    SELECT RAISE(ABORT, 'service_records_overlap') FROM service_records
    WHERE account_id = NEW.account_id AND is_credited = 1
        AND starts_at < NEW.ends_at AND NEW.starts_at < ends_at;
END;
CREATE TRIGGER service_records_overlap_update BEFORE UPDATE OF account_id, is_credited, starts_at, ends_at
ON service_records WHEN NEW.is_credited BEGIN
    SELECT RAISE(ABORT, 'service_records_overlap') FROM service_records
    WHERE account_id = NEW.account_id AND is_credited = 1 AND id <> NEW.id
        AND starts_at < NEW.ends_at AND NEW.starts_at < ends_at;
END;

-- what a person has credited for a day, over all organisations: counted by compare-and-set against the cap
CREATE TABLE service_days (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    day        TEXT NOT NULL,
    minutes    INTEGER NOT NULL,
    PRIMARY KEY (account_id, day),
    CHECK (minutes BETWEEN 0 AND 1440)
) STRICT;

-- the sums of the ledger by day, of a person, an organisation, a project or a region itself
CREATE TABLE hour_sums (
    scope    TEXT NOT NULL,
    scope_id BLOB NOT NULL,
    track    TEXT NOT NULL,
    day      TEXT NOT NULL,
    minutes  INTEGER NOT NULL,
    PRIMARY KEY (scope, scope_id, track, day),
    CHECK (minutes >= 0)
) STRICT;
