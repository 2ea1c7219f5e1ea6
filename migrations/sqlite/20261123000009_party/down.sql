DROP TABLE party_memberships;
DROP TABLE party_branches;
