-- asked for, and not proved yet: an address belongs to nobody until then
CREATE TABLE sign_ups (
    email         TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    language      TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ups_age ON sign_ups (created_at);

-- who never was here is invited, as are those who sign up anew
UPDATE accounts SET status = 'invited', password_hash = NULL, version = version + 1
WHERE status = 'pending';
UPDATE accounts SET status = 'invited', version = version + 1
WHERE status = 'active' AND password_hash IS NULL
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.account_id = accounts.id);

-- people are told of their accounts from now on
INSERT INTO journal_cursors (reader, txid, seq)
SELECT 'accounts of people', txid, seq FROM journal ORDER BY txid DESC, seq DESC LIMIT 1;
