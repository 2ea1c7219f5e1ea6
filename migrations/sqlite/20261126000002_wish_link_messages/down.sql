CREATE TABLE wish_messages_new (
    id         BLOB PRIMARY KEY NOT NULL,
    wish_id    BLOB NOT NULL REFERENCES wishes (id),
    claim_id   BLOB NOT NULL REFERENCES wish_claims (id),
    author_id  BLOB NOT NULL REFERENCES accounts (id),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO wish_messages_new SELECT * FROM wish_messages WHERE author_id IS NOT NULL;
DROP TABLE wish_messages;
ALTER TABLE wish_messages_new RENAME TO wish_messages;
CREATE INDEX wish_messages_wish ON wish_messages (wish_id, id);
CREATE INDEX wish_messages_claim ON wish_messages (claim_id);
CREATE INDEX wish_messages_author ON wish_messages (author_id);
