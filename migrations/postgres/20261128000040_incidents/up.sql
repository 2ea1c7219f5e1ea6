-- what went wrong in an activity; stays with its record whatever becomes of that
CREATE TABLE incidents (
    id                 uuid PRIMARY KEY,
    activity_id        uuid NOT NULL REFERENCES activities (id),
    -- where the activity was held then: its staff look after it
    region_id          uuid NOT NULL REFERENCES regions (id),
    reporter_id        uuid NOT NULL REFERENCES accounts (id),
    kind               text NOT NULL,
    severity           text NOT NULL,
    what               text NOT NULL,
    happened_at        timestamptz NOT NULL,
    -- how many people it concerns
    people             integer NOT NULL,
    -- whether it is about those who organise: they are told nothing
    concerns_organizer boolean NOT NULL,
    status             text NOT NULL,
    status_since       timestamptz NOT NULL,
    -- what came of it, once it is resolved
    outcome            text,
    created_at         timestamptz NOT NULL
);
CREATE INDEX incidents_activity ON incidents (activity_id, id);
CREATE INDEX incidents_region ON incidents (region_id, id);
CREATE INDEX incidents_reporter ON incidents (reporter_id);

-- what is added to it; never changed
CREATE TABLE incident_notes (
    id          uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents (id),
    author_id   uuid NOT NULL REFERENCES accounts (id),
    -- as what the author stood to it
    written_as  text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX incident_notes_incident ON incident_notes (incident_id, id);
CREATE INDEX incident_notes_author ON incident_notes (author_id);

CREATE TABLE incident_photos (
    id          uuid PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents (id),
    author_id   uuid NOT NULL REFERENCES accounts (id),
    photo       text NOT NULL,
    thumbnail   text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX incident_photos_once ON incident_photos (incident_id, photo);
CREATE INDEX incident_photos_author ON incident_photos (author_id);
CREATE INDEX incident_photos_file ON incident_photos (photo);
CREATE INDEX incident_photos_thumbnail ON incident_photos (thumbnail);

-- the database itself keeps them
CREATE FUNCTION incidents_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'incidents_stay'; END $$;
CREATE TRIGGER incidents_stay BEFORE DELETE ON incidents
    FOR EACH ROW EXECUTE FUNCTION incidents_stay();
CREATE TRIGGER incidents_said BEFORE UPDATE OF activity_id, reporter_id, kind, severity, what, happened_at, people, concerns_organizer, created_at
    ON incidents FOR EACH ROW EXECUTE FUNCTION incidents_stay();
CREATE TRIGGER incident_notes_stay BEFORE UPDATE OR DELETE ON incident_notes
    FOR EACH ROW EXECUTE FUNCTION incidents_stay();
CREATE TRIGGER incident_photos_stay BEFORE UPDATE OR DELETE ON incident_photos
    FOR EACH ROW EXECUTE FUNCTION incidents_stay();
