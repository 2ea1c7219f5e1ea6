-- secret addresses at which calendar programs fetch what a person or an organisation has ahead
CREATE TABLE calendars (
    id              BLOB PRIMARY KEY NOT NULL,
    -- whose activities it shows
    account_id      BLOB REFERENCES accounts (id),
    organization_id BLOB REFERENCES organizations (id),
    -- SHA-256 of the secret; the secret itself is kept nowhere
    secret_hash     BLOB NOT NULL,
    made_by         BLOB NOT NULL REFERENCES accounts (id),
    made_at         INTEGER NOT NULL,
    CHECK ((account_id IS NULL) <> (organization_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX calendars_secret ON calendars (secret_hash);
CREATE UNIQUE INDEX calendars_account ON calendars (account_id);
CREATE UNIQUE INDEX calendars_organization ON calendars (organization_id);
CREATE INDEX calendars_maker ON calendars (made_by);
