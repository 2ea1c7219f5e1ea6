-- whether it was public before, and only moved on: news for those who look for a state
ALTER TABLE search_news ADD COLUMN moved_on INTEGER NOT NULL DEFAULT 0;
