DROP INDEX organizations_published;
DROP INDEX wishes_published;
DROP INDEX projects_published;
ALTER TABLE organizations DROP COLUMN published_at;
ALTER TABLE wishes DROP COLUMN published_at;
ALTER TABLE projects DROP COLUMN published_at;
