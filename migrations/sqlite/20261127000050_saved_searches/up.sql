CREATE TABLE saved_searches (
    id         BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    name       TEXT NOT NULL,
    criteria   TEXT NOT NULL,
    -- up to where in search_news it was looked through
    txid       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    told_at    INTEGER,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_searches_account ON saved_searches (account_id, id);
CREATE INDEX saved_searches_behind ON saved_searches (txid, seq);

-- what the owner of a saved search was told of by it
CREATE TABLE saved_search_finds (
    saved_search_id BLOB NOT NULL REFERENCES saved_searches (id),
    subject_kind    TEXT NOT NULL,
    subject_id      BLOB NOT NULL,
    told_at         INTEGER NOT NULL,
    PRIMARY KEY (saved_search_id, subject_kind, subject_id)
) STRICT;

-- what became public, in the order of the journal
CREATE TABLE search_news (
    txid         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BLOB NOT NULL,
    noted_at     INTEGER NOT NULL,
    PRIMARY KEY (txid, seq)
) STRICT;
CREATE INDEX search_news_age ON search_news (noted_at);

-- saved searches tell of what comes from now on
INSERT INTO journal_cursors (reader, txid, seq)
SELECT 'saved searches', txid, seq FROM journal ORDER BY txid DESC, seq DESC LIMIT 1;
