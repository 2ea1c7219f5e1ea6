DROP INDEX regions_by_code;
