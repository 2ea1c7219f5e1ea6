-- secret addresses at which calendar programs fetch what a person or an organisation has ahead
CREATE TABLE calendars (
    id              uuid PRIMARY KEY,
    -- whose activities it shows
    account_id      uuid REFERENCES accounts (id),
    organization_id uuid REFERENCES organizations (id),
    -- SHA-256 of the secret; the secret itself is kept nowhere
    secret_hash     bytea NOT NULL,
    made_by         uuid NOT NULL REFERENCES accounts (id),
    made_at         timestamptz NOT NULL,
    CHECK ((account_id IS NULL) <> (organization_id IS NULL))
);
CREATE UNIQUE INDEX calendars_secret ON calendars (secret_hash);
CREATE UNIQUE INDEX calendars_account ON calendars (account_id);
CREATE UNIQUE INDEX calendars_organization ON calendars (organization_id);
CREATE INDEX calendars_maker ON calendars (made_by);
