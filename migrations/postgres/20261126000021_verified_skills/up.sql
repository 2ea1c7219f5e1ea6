-- who verified a declared skill, and when; none: it is self-declared
ALTER TABLE volunteer_skills ADD COLUMN verified_by uuid REFERENCES accounts (id);
ALTER TABLE volunteer_skills ADD COLUMN verified_at timestamptz;
CREATE INDEX volunteer_skills_verified_by ON volunteer_skills (verified_by);
