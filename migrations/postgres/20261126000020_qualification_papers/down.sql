DROP INDEX qualifications_document;
DROP INDEX qualifications_notice_on;
DROP INDEX qualifications_number_hash;
UPDATE qualifications SET status = 'rejected' WHERE status IN ('withdrawn', 'revoked');
ALTER TABLE qualifications DROP COLUMN notice_on;
ALTER TABLE qualifications DROP COLUMN document;
ALTER TABLE qualifications DROP COLUMN number_hash;
