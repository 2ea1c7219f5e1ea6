DROP TABLE qualifications;
DROP TABLE volunteer_places;
DROP TABLE volunteer_windows;
DROP TABLE volunteer_interests;
DROP TABLE volunteer_skills;
DROP TABLE volunteers;
