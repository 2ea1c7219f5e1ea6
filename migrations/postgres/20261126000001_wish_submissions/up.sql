-- when a wish was handed in; what never was is its author's alone
ALTER TABLE wishes ADD COLUMN submitted_at timestamptz;
UPDATE wishes SET submitted_at = (
    SELECT max(at) FROM journal
    WHERE subject_kind = 'wish' AND subject_id = wishes.id AND to_state IN ('submitted', 'published')
);
