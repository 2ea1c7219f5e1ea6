-- the version of the row here that the import left; none for regions, and where it is not known
ALTER TABLE import_links ADD COLUMN subject_version integer;
UPDATE import_links SET subject_version = CASE target
    WHEN 'volunteers' THEN (SELECT version FROM volunteers WHERE volunteers.account_id = import_links.subject_id)
    WHEN 'organizations' THEN (SELECT version FROM organizations WHERE organizations.id = import_links.subject_id)
    WHEN 'projects' THEN (SELECT version FROM projects WHERE projects.id = import_links.subject_id)
    WHEN 'wishes' THEN (SELECT version FROM wishes WHERE wishes.id = import_links.subject_id)
END
WHERE NOT EXISTS (
    SELECT 1 FROM journal
    WHERE journal.subject_kind IN ('volunteer', 'organization', 'project', 'wish')
      AND journal.subject_id = import_links.subject_id AND journal.at > import_links.updated_at
);
