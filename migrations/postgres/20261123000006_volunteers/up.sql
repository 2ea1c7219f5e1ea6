CREATE TABLE volunteers (
    account_id   uuid PRIMARY KEY REFERENCES accounts (id),
    region_id    uuid NOT NULL REFERENCES regions (id),
    introduction text NOT NULL,
    birth_date   date,
    version      integer NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX volunteers_region ON volunteers (region_id, account_id);

CREATE TABLE volunteer_skills (
    account_id uuid NOT NULL REFERENCES volunteers (account_id),
    skill      text NOT NULL,
    level      integer NOT NULL,
    PRIMARY KEY (account_id, skill)
);
CREATE INDEX volunteer_skills_skill ON volunteer_skills (skill, account_id);

CREATE TABLE volunteer_interests (
    account_id uuid NOT NULL REFERENCES volunteers (account_id),
    life_cycle text NOT NULL,
    PRIMARY KEY (account_id, life_cycle)
);

-- half-open wall-clock windows of a week; weekday 1 is Monday
CREATE TABLE volunteer_windows (
    account_id  uuid NOT NULL REFERENCES volunteers (account_id),
    weekday     integer NOT NULL,
    from_minute integer NOT NULL,
    to_minute   integer NOT NULL,
    PRIMARY KEY (account_id, weekday, from_minute)
);

CREATE TABLE volunteer_places (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES volunteers (account_id),
    label      text NOT NULL,
    longitude  double precision NOT NULL,
    latitude   double precision NOT NULL,
    radius_m   integer NOT NULL
);
CREATE INDEX volunteer_places_account ON volunteer_places (account_id, id);

CREATE TABLE qualifications (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES volunteers (account_id),
    kind        text NOT NULL,
    -- the certificate's number, sealed
    number      bytea NOT NULL,
    issued_on   date NOT NULL,
    expires_on  date,
    status      text NOT NULL,
    reviewed_by uuid REFERENCES accounts (id),
    reviewed_at timestamptz,
    reason      text,
    created_at  timestamptz NOT NULL
);
CREATE INDEX qualifications_account ON qualifications (account_id, id);
CREATE INDEX qualifications_status ON qualifications (status, id);
CREATE INDEX qualifications_reviewed_by ON qualifications (reviewed_by);
