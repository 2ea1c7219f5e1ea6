DROP TABLE hour_sums;
DROP TABLE service_days;
DROP TABLE hour_entries;
DROP FUNCTION hour_entries_append_only;
DROP TABLE service_records;
