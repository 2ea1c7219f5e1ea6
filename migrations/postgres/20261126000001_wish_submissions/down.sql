ALTER TABLE wishes DROP COLUMN submitted_at;
