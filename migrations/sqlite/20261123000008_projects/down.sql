DROP TABLE crew_members;
DROP TABLE claim_photos;
DROP TABLE claim_progress;
DROP TABLE project_claims;
DROP TABLE project_roles;
DROP TABLE projects;
DROP TABLE batches;
DROP TABLE campaigns;
