CREATE TABLE notifications (
    id           BLOB PRIMARY KEY NOT NULL,
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    kind         TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BLOB NOT NULL,
    params       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    read_at      INTEGER
) STRICT;
CREATE INDEX notifications_account ON notifications (account_id, id);
CREATE INDEX notifications_unread ON notifications (account_id, read_at);

-- a row switches one channel of one kind off (or on again)
CREATE TABLE notification_preferences (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    kind       TEXT NOT NULL,
    mail       INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind)
) STRICT;

-- minutes after midnight, in the district's zone
CREATE TABLE quiet_hours (
    account_id  BLOB PRIMARY KEY REFERENCES accounts (id),
    from_minute INTEGER NOT NULL,
    to_minute   INTEGER NOT NULL
) STRICT;
