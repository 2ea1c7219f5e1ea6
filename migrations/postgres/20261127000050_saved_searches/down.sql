DELETE FROM journal_cursors WHERE reader = 'saved searches';
DROP TABLE search_news;
DROP TABLE saved_search_finds;
DROP TABLE saved_searches;
