CREATE TABLE regions (
    id          uuid PRIMARY KEY,
    code        text NOT NULL,
    name        text NOT NULL,
    level       text NOT NULL,
    parent_id   uuid REFERENCES regions (id),
    population  bigint,
    longitude   double precision,
    latitude    double precision,
    valid_from  date NOT NULL,
    valid_to    date,
    version     integer NOT NULL
);
-- a code names one region at a time; an ended region keeps its code
CREATE UNIQUE INDEX regions_code ON regions (code) WHERE valid_to IS NULL;
CREATE INDEX regions_parent ON regions (parent_id);

CREATE TABLE region_ancestors (
    region_id   uuid NOT NULL REFERENCES regions (id),
    ancestor_id uuid NOT NULL REFERENCES regions (id),
    distance    integer NOT NULL,
    PRIMARY KEY (region_id, ancestor_id)
);
CREATE INDEX region_ancestors_ancestor ON region_ancestors (ancestor_id, region_id);

CREATE TABLE region_polygons (
    region_id uuid PRIMARY KEY REFERENCES regions (id),
    geometry  jsonb NOT NULL,
    area_m2   double precision NOT NULL,
    west      double precision NOT NULL,
    south     double precision NOT NULL,
    east      double precision NOT NULL,
    north     double precision NOT NULL
);
CREATE INDEX region_polygons_box ON region_polygons (west, east, south, north);
