DELETE FROM wish_messages WHERE author_id IS NULL;
ALTER TABLE wish_messages ALTER COLUMN author_id SET NOT NULL;
