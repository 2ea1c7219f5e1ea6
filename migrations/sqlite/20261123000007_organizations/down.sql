DROP TABLE organization_members;
DROP TABLE organization_documents;
DROP TABLE organizations;
