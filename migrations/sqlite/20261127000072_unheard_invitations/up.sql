-- whether it was over before its person heard of it: then it does not count to the cap of the day
ALTER TABLE invitations ADD COLUMN is_unheard INTEGER NOT NULL DEFAULT 0;
