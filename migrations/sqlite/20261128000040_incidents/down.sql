DROP TABLE incident_photos;
DROP TABLE incident_notes;
DROP TABLE incidents;
