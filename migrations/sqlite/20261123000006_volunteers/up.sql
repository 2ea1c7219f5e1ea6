CREATE TABLE volunteers (
    account_id   BLOB PRIMARY KEY REFERENCES accounts (id),
    region_id    BLOB NOT NULL REFERENCES regions (id),
    introduction TEXT NOT NULL,
    birth_date   TEXT,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX volunteers_region ON volunteers (region_id, account_id);

CREATE TABLE volunteer_skills (
    account_id BLOB NOT NULL REFERENCES volunteers (account_id),
    skill      TEXT NOT NULL,
    level      INTEGER NOT NULL,
    PRIMARY KEY (account_id, skill)
) STRICT;
CREATE INDEX volunteer_skills_skill ON volunteer_skills (skill, account_id);

CREATE TABLE volunteer_interests (
    account_id BLOB NOT NULL REFERENCES volunteers (account_id),
    life_cycle TEXT NOT NULL,
    PRIMARY KEY (account_id, life_cycle)
) STRICT;

-- half-open wall-clock windows of a week; weekday 1 is Monday
CREATE TABLE volunteer_windows (
    account_id  BLOB NOT NULL REFERENCES volunteers (account_id),
    weekday     INTEGER NOT NULL,
    from_minute INTEGER NOT NULL,
    to_minute   INTEGER NOT NULL,
    PRIMARY KEY (account_id, weekday, from_minute)
) STRICT;

CREATE TABLE volunteer_places (
    id         BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL REFERENCES volunteers (account_id),
    label      TEXT NOT NULL,
    longitude  REAL NOT NULL,
    latitude   REAL NOT NULL,
    radius_m   INTEGER NOT NULL
) STRICT;
CREATE INDEX volunteer_places_account ON volunteer_places (account_id, id);

CREATE TABLE qualifications (
    id          BLOB PRIMARY KEY NOT NULL,
    account_id  BLOB NOT NULL REFERENCES volunteers (account_id),
    kind        TEXT NOT NULL,
    -- the certificate's number, sealed
    number      BLOB NOT NULL,
    issued_on   TEXT NOT NULL,
    expires_on  TEXT,
    status      TEXT NOT NULL,
    reviewed_by BLOB REFERENCES accounts (id),
    reviewed_at INTEGER,
    reason      TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX qualifications_account ON qualifications (account_id, id);
CREATE INDEX qualifications_status ON qualifications (status, id);
CREATE INDEX qualifications_reviewed_by ON qualifications (reviewed_by);
