DROP TABLE region_polygons;
DROP TABLE region_ancestors;
DROP TABLE regions;
