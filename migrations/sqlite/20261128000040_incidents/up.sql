-- what went wrong in an activity; stays with its record whatever becomes of that
CREATE TABLE incidents (
    id                 BLOB PRIMARY KEY NOT NULL,
    activity_id        BLOB NOT NULL REFERENCES activities (id),
    -- where the activity was held then: its staff look after it
    region_id          BLOB NOT NULL REFERENCES regions (id),
    reporter_id        BLOB NOT NULL REFERENCES accounts (id),
    kind               TEXT NOT NULL,
    severity           TEXT NOT NULL,
    what               TEXT NOT NULL,
    happened_at        INTEGER NOT NULL,
    -- how many people it concerns
    people             INTEGER NOT NULL,
    -- whether it is about those who organise: they are told nothing
    concerns_organizer INTEGER NOT NULL,
    status             TEXT NOT NULL,
    status_since       INTEGER NOT NULL,
    -- what came of it, once it is resolved
    outcome            TEXT,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX incidents_activity ON incidents (activity_id, id);
CREATE INDEX incidents_region ON incidents (region_id, id);
CREATE INDEX incidents_reporter ON incidents (reporter_id);

-- what is added to it; never changed
CREATE TABLE incident_notes (
    id          BLOB PRIMARY KEY NOT NULL,
    incident_id BLOB NOT NULL REFERENCES incidents (id),
    author_id   BLOB NOT NULL REFERENCES accounts (id),
    -- as what the author stood to it
    written_as  TEXT NOT NULL,
    body        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_notes_incident ON incident_notes (incident_id, id);
CREATE INDEX incident_notes_author ON incident_notes (author_id);

CREATE TABLE incident_photos (
    id          BLOB PRIMARY KEY NOT NULL,
    incident_id BLOB NOT NULL REFERENCES incidents (id),
    author_id   BLOB NOT NULL REFERENCES accounts (id),
    photo       TEXT NOT NULL,
    thumbnail   TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_photos_once ON incident_photos (incident_id, photo);
CREATE INDEX incident_photos_author ON incident_photos (author_id);
CREATE INDEX incident_photos_file ON incident_photos (photo);
CREATE INDEX incident_photos_thumbnail ON incident_photos (thumbnail);

-- the database itself keeps them
CREATE TRIGGER incidents_stay BEFORE DELETE ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
CREATE TRIGGER incidents_said BEFORE UPDATE OF activity_id, reporter_id, kind, severity, what, happened_at, people, concerns_organizer, created_at ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
CREATE TRIGGER incident_notes_stay BEFORE DELETE ON incident_notes BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
CREATE TRIGGER incident_notes_said BEFORE UPDATE ON incident_notes BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
CREATE TRIGGER incident_photos_stay BEFORE DELETE ON incident_photos BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
CREATE TRIGGER incident_photos_said BEFORE UPDATE ON incident_photos BEGIN
    SELECT RAISE(ABORT, 'incidents_stay');
END;
