DROP TABLE incident_photos;
DROP TABLE incident_notes;
DROP TABLE incidents;
DROP FUNCTION incidents_stay();
