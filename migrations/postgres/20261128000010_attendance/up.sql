-- who was there, of those who enrolled: made with the first thing said about an enrolment, or as its activity ends
CREATE TABLE attendances (
    id                uuid PRIMARY KEY,
    enrolment_id      uuid NOT NULL REFERENCES enrolments (id),
    activity_id       uuid NOT NULL REFERENCES activities (id),
    shift_id          uuid NOT NULL REFERENCES activity_shifts (id),
    account_id        uuid NOT NULL REFERENCES accounts (id),
    status            text NOT NULL,
    status_since      timestamptz NOT NULL,
    -- the instants that count, and how each was shown: by code, or by the leader's list
    checked_in_at     timestamptz,
    checked_out_at    timestamptz,
    check_in_by       text,
    check_out_by      text,
    -- who ticked the list
    recorded_in_by    uuid REFERENCES accounts (id),
    recorded_out_by   uuid REFERENCES accounts (id),
    -- whether a phone that was offline said so afterwards, and with which entry
    is_late_sent_in   boolean NOT NULL,
    is_late_sent_out  boolean NOT NULL,
    entry_in          text,
    entry_out         text,
    -- why the person was not there, in their own words or the leader's
    excuse            text,
    -- when the leader did not accept it
    excuse_refused_at timestamptz,
    version           integer NOT NULL,
    created_at        timestamptz NOT NULL,
    CHECK (checked_out_at IS NULL OR (checked_in_at IS NOT NULL AND checked_in_at <= checked_out_at))
);
CREATE UNIQUE INDEX attendances_once ON attendances (enrolment_id);
CREATE INDEX attendances_activity ON attendances (activity_id, status);
CREATE INDEX attendances_shift ON attendances (shift_id);
CREATE INDEX attendances_account ON attendances (account_id, id);
CREATE INDEX attendances_recorder_in ON attendances (recorded_in_by);
CREATE INDEX attendances_recorder_out ON attendances (recorded_out_by);
