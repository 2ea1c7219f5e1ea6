DROP TABLE round_invitations;
DROP TABLE round_locks;
DROP TABLE round_columns;
DROP TABLE round_assignments;
DROP TABLE round_people;
DROP TABLE round_needs;
DROP TABLE round_plans;
DROP TABLE rounds;
