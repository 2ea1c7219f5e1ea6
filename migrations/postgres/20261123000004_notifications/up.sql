CREATE TABLE notifications (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts (id),
    kind         text NOT NULL,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    params       jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    read_at      timestamptz
);
CREATE INDEX notifications_account ON notifications (account_id, id);
CREATE INDEX notifications_unread ON notifications (account_id, read_at);

-- a row switches one channel of one kind off (or on again)
CREATE TABLE notification_preferences (
    account_id uuid NOT NULL REFERENCES accounts (id),
    kind       text NOT NULL,
    mail       boolean NOT NULL,
    PRIMARY KEY (account_id, kind)
);

-- minutes after midnight, in the district's zone
CREATE TABLE quiet_hours (
    account_id  uuid PRIMARY KEY REFERENCES accounts (id),
    from_minute integer NOT NULL,
    to_minute   integer NOT NULL
);
