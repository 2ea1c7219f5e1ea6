DELETE FROM journal_cursors WHERE reader = 'accounts of people';
UPDATE accounts SET status = 'active' WHERE status = 'invited';
DROP TABLE sign_ups;
