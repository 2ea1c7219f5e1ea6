DROP TABLE import_links;
DROP TABLE imports;
