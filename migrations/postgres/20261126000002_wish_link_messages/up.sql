-- none: the beneficiary wrote it, by link
ALTER TABLE wish_messages ALTER COLUMN author_id DROP NOT NULL;
