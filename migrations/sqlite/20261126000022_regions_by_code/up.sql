-- those of a day, ended ones too, are listed in this order
CREATE INDEX regions_by_code ON regions (code, id);
