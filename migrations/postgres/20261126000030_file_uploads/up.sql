-- a file that is being stored, until a row refers to it or none will
CREATE TABLE file_uploads (
    id       uuid NOT NULL,
    file     text NOT NULL,
    began_at timestamptz NOT NULL,
    PRIMARY KEY (id, file)
);
CREATE INDEX file_uploads_file ON file_uploads (file);
CREATE INDEX file_uploads_age ON file_uploads (began_at);

-- a file that nothing refers to, until it is gone; nobody stores it meanwhile
CREATE TABLE file_removals (
    file     text PRIMARY KEY NOT NULL,
    began_at timestamptz NOT NULL
);
CREATE INDEX file_removals_age ON file_removals (began_at);

-- whether anything refers to a file
CREATE INDEX organization_documents_file ON organization_documents (file);
CREATE INDEX wish_evidence_photo ON wish_evidence (photo);
CREATE INDEX wish_evidence_thumbnail ON wish_evidence (thumbnail);
CREATE INDEX claim_photos_photo ON claim_photos (photo);
CREATE INDEX claim_photos_thumbnail ON claim_photos (thumbnail);
