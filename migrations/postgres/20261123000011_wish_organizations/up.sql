-- the organisation that a claim is made for; none when a person claims
ALTER TABLE wish_claims ADD COLUMN organization_id uuid REFERENCES organizations (id);
CREATE INDEX wish_claims_organization ON wish_claims (organization_id, ended_at);
