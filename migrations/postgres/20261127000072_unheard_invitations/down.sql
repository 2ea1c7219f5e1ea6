ALTER TABLE invitations DROP COLUMN is_unheard;
