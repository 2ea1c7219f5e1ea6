CREATE TABLE imports (
    id         BLOB PRIMARY KEY NOT NULL,
    -- who ran it; none for the command line
    account_id BLOB REFERENCES accounts (id),
    target     TEXT NOT NULL,
    source     TEXT NOT NULL,
    file_name  TEXT NOT NULL,
    total      INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    unchanged  INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    -- [{line, column, field, code, detail}], the first thousand, without what stood in the cells
    errors     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX imports_account ON imports (account_id, id);

CREATE TABLE import_links (
    id           BLOB PRIMARY KEY NOT NULL,
    target       TEXT NOT NULL,
    source       TEXT NOT NULL,
    -- what the source calls the row
    external_key TEXT NOT NULL,
    -- the row here: of the target's table
    subject_id   BLOB NOT NULL,
    -- of the values last taken over
    digest       BLOB NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX import_links_key ON import_links (target, source, external_key);
