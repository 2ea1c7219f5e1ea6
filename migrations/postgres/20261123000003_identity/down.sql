DROP TABLE consents;
DROP TABLE role_grants;
DROP TABLE signing_keys;
DROP TABLE one_time_codes;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE accounts;
