DROP INDEX wish_claims_organization;
ALTER TABLE wish_claims DROP COLUMN organization_id;
