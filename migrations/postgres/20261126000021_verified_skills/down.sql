DROP INDEX volunteer_skills_verified_by;
ALTER TABLE volunteer_skills DROP COLUMN verified_at;
ALTER TABLE volunteer_skills DROP COLUMN verified_by;
