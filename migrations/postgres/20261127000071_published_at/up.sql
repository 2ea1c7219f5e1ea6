-- when the public found it first: lists and searches begin with what is new
ALTER TABLE projects ADD COLUMN published_at timestamptz;
UPDATE projects SET published_at = (
    SELECT min(journal.at) FROM journal
    WHERE journal.subject_kind = 'project' AND journal.subject_id = projects.id
      AND journal.to_state IN ('open', 'claimed', 'running', 'suspended', 'completing', 'completed', 'archived'));
UPDATE projects SET published_at = created_at WHERE published_at IS NULL AND status IN ('open', 'claimed', 'running', 'suspended', 'completing', 'completed', 'archived');
ALTER TABLE wishes ADD COLUMN published_at timestamptz;
UPDATE wishes SET published_at = (
    SELECT min(journal.at) FROM journal
    WHERE journal.subject_kind = 'wish' AND journal.subject_id = wishes.id
      AND journal.to_state IN ('published'));
UPDATE wishes SET published_at = created_at WHERE published_at IS NULL AND status IN ('published');
ALTER TABLE organizations ADD COLUMN published_at timestamptz;
UPDATE organizations SET published_at = (
    SELECT min(journal.at) FROM journal
    WHERE journal.subject_kind = 'organization' AND journal.subject_id = organizations.id
      AND journal.to_state IN ('active'));
UPDATE organizations SET published_at = created_at WHERE published_at IS NULL AND status IN ('active');
CREATE INDEX projects_published ON projects (published_at, id);
CREATE INDEX wishes_published ON wishes (status, published_at, id);
CREATE INDEX organizations_published ON organizations (status, published_at, id);
