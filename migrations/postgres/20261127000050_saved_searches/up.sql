CREATE TABLE saved_searches (
    id         uuid PRIMARY KEY NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id),
    name       text NOT NULL,
    criteria   jsonb NOT NULL,
    -- up to where in search_news it was looked through
    txid       bigint NOT NULL,
    seq        bigint NOT NULL,
    told_at    timestamptz,
    version    integer NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX saved_searches_account ON saved_searches (account_id, id);
CREATE INDEX saved_searches_behind ON saved_searches (txid, seq);

-- what the owner of a saved search was told of by it
CREATE TABLE saved_search_finds (
    saved_search_id uuid NOT NULL REFERENCES saved_searches (id),
    subject_kind    text NOT NULL,
    subject_id      uuid NOT NULL,
    told_at         timestamptz NOT NULL,
    PRIMARY KEY (saved_search_id, subject_kind, subject_id)
);

-- what became public, in the order of the journal
CREATE TABLE search_news (
    txid         bigint NOT NULL,
    seq          bigint NOT NULL,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    noted_at     timestamptz NOT NULL,
    PRIMARY KEY (txid, seq)
);
CREATE INDEX search_news_age ON search_news (noted_at);

-- saved searches tell of what comes from now on
INSERT INTO journal_cursors (reader, txid, seq)
SELECT 'saved searches', txid, seq FROM journal ORDER BY txid DESC, seq DESC LIMIT 1;
