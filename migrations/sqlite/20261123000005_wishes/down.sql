DROP TABLE wish_messages;
DROP TABLE wish_evidence;
DROP TABLE wish_claims;
DROP TABLE wishes;
