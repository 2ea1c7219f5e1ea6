-- who was there, of those who enrolled: made with the first thing said about an enrolment, or as its activity ends
CREATE TABLE attendances (
    id                BLOB PRIMARY KEY NOT NULL,
    enrolment_id      BLOB NOT NULL REFERENCES enrolments (id),
    activity_id       BLOB NOT NULL REFERENCES activities (id),
    shift_id          BLOB NOT NULL REFERENCES activity_shifts (id),
    account_id        BLOB NOT NULL REFERENCES accounts (id),
    status            TEXT NOT NULL,
    status_since      INTEGER NOT NULL,
    -- the instants that count, and how each was shown: by code, or by the leader's list
    checked_in_at     INTEGER,
    checked_out_at    INTEGER,
    check_in_by       TEXT,
    check_out_by      TEXT,
    -- who ticked the list
    recorded_in_by    BLOB REFERENCES accounts (id),
    recorded_out_by   BLOB REFERENCES accounts (id),
    -- whether a phone that was offline said so afterwards, and with which entry
    is_late_sent_in   INTEGER NOT NULL,
    is_late_sent_out  INTEGER NOT NULL,
    entry_in          TEXT,
    entry_out         TEXT,
    -- why the person was not there, in their own words or the leader's
    excuse            TEXT,
    -- when the leader did not accept it
    excuse_refused_at INTEGER,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    CHECK (checked_out_at IS NULL OR (checked_in_at IS NOT NULL AND checked_in_at <= checked_out_at))
) STRICT;
CREATE UNIQUE INDEX attendances_once ON attendances (enrolment_id);
CREATE INDEX attendances_activity ON attendances (activity_id, status);
CREATE INDEX attendances_shift ON attendances (shift_id);
CREATE INDEX attendances_account ON attendances (account_id, id);
CREATE INDEX attendances_recorder_in ON attendances (recorded_in_by);
CREATE INDEX attendances_recorder_out ON attendances (recorded_out_by);
