DROP TABLE hour_sums;
DROP TABLE service_days;
DROP TABLE hour_entries;
DROP TABLE service_records;
