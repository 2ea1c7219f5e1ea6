DROP INDEX claim_photos_thumbnail;
DROP INDEX claim_photos_photo;
DROP INDEX wish_evidence_thumbnail;
DROP INDEX wish_evidence_photo;
DROP INDEX organization_documents_file;
DROP TABLE file_removals;
DROP TABLE file_uploads;
