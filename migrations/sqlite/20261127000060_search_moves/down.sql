ALTER TABLE search_news DROP COLUMN moved_on;
