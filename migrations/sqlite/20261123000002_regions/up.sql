CREATE TABLE regions (
    id          BLOB PRIMARY KEY NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL,
    parent_id   BLOB REFERENCES regions (id),
    population  INTEGER,
    longitude   REAL,
    latitude    REAL,
    valid_from  TEXT NOT NULL,
    valid_to    TEXT,
    version     INTEGER NOT NULL
) STRICT;
-- a code names one region at a time; an ended region keeps its code
CREATE UNIQUE INDEX regions_code ON regions (code) WHERE valid_to IS NULL;
CREATE INDEX regions_parent ON regions (parent_id);

CREATE TABLE region_ancestors (
    region_id   BLOB NOT NULL REFERENCES regions (id),
    ancestor_id BLOB NOT NULL REFERENCES regions (id),
    distance    INTEGER NOT NULL,
    PRIMARY KEY (region_id, ancestor_id)
) STRICT;
CREATE INDEX region_ancestors_ancestor ON region_ancestors (ancestor_id, region_id);

CREATE TABLE region_polygons (
    region_id BLOB PRIMARY KEY NOT NULL REFERENCES regions (id),
    geometry  TEXT NOT NULL,
    area_m2   REAL NOT NULL,
    west      REAL NOT NULL,
    south     REAL NOT NULL,
    east      REAL NOT NULL,
    north     REAL NOT NULL
) STRICT;
CREATE INDEX region_polygons_box ON region_polygons (west, east, south, north);
