ALTER TABLE import_links DROP COLUMN subject_version;
