CREATE TABLE imports (
    id         uuid PRIMARY KEY,
    -- who ran it; none for the command line
    account_id uuid REFERENCES accounts (id),
    target     text NOT NULL,
    source     text NOT NULL,
    file_name  text NOT NULL,
    total      bigint NOT NULL,
    created    bigint NOT NULL,
    updated    bigint NOT NULL,
    unchanged  bigint NOT NULL,
    failed     bigint NOT NULL,
    -- [{line, column, field, code, detail}], the first thousand, without what stood in the cells
    errors     jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL
);
CREATE INDEX imports_account ON imports (account_id, id);

CREATE TABLE import_links (
    id           uuid PRIMARY KEY,
    target       text NOT NULL,
    source       text NOT NULL,
    -- what the source calls the row
    external_key text NOT NULL,
    -- the row here: of the target's table
    subject_id   uuid NOT NULL,
    -- of the values last taken over
    digest       bytea NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX import_links_key ON import_links (target, source, external_key);
