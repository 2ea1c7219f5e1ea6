-- kind and number, by a keyed hash: finds the same certificate again; of rows from before it is filled in by
-- the worker, who has the key
ALTER TABLE qualifications ADD COLUMN number_hash bytea;
-- the key of the certificate's document among the files
ALTER TABLE qualifications ADD COLUMN document text;
-- the day on which the holder is next told of its end; none while there is nothing to tell
ALTER TABLE qualifications ADD COLUMN notice_on date;
UPDATE qualifications SET notice_on = expires_on - 30 WHERE status = 'verified';
CREATE INDEX qualifications_number_hash ON qualifications (number_hash, account_id);
CREATE INDEX qualifications_notice_on ON qualifications (notice_on);
CREATE INDEX qualifications_document ON qualifications (document);
