DROP TABLE idempotency_keys;
DROP TABLE jobs;
DROP TABLE journal_cursors;
DROP TABLE journal;
