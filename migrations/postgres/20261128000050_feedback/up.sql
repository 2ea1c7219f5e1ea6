-- what somebody who came says of an activity, and what its organisers say of them
CREATE TABLE feedback (
    id              uuid PRIMARY KEY,
    enrolment_id    uuid NOT NULL REFERENCES enrolments (id),
    activity_id     uuid NOT NULL REFERENCES activities (id),
    organization_id uuid REFERENCES organizations (id),
    author_id       uuid NOT NULL REFERENCES accounts (id),
    -- to the activity or to the volunteer
    direction       text NOT NULL,
    -- one to five; of the activity the first three, of the volunteer the last
    organization    integer,
    safety          integer,
    meaning         integer,
    reliability     integer,
    comment         text NOT NULL,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    CHECK (organization BETWEEN 1 AND 5),
    CHECK (safety BETWEEN 1 AND 5),
    CHECK (meaning BETWEEN 1 AND 5),
    CHECK (reliability BETWEEN 1 AND 5),
    CHECK ((reliability IS NULL) = (direction = 'to_activity')),
    CHECK ((organization IS NULL) = (direction = 'to_volunteer')),
    CHECK ((safety IS NULL) = (direction = 'to_volunteer')),
    CHECK ((meaning IS NULL) = (direction = 'to_volunteer'))
);
CREATE UNIQUE INDEX feedback_once ON feedback (enrolment_id, direction);
CREATE INDEX feedback_activity ON feedback (activity_id, direction);
CREATE INDEX feedback_organization ON feedback (organization_id, direction);
CREATE INDEX feedback_author ON feedback (author_id);
