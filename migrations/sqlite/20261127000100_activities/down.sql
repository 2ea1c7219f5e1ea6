DROP TABLE enrolments;
DROP TABLE activity_shifts;
DROP TABLE activities;
DROP TABLE activity_series;
DROP TABLE activity_policies;
