INSERT INTO crew_members
SELECT i.id, i.claim_id, i.need_id, i.account_id, i.note,
       CASE i.status WHEN 'open' THEN 'invited' WHEN 'declined' THEN 'refused' ELSE 'cancelled' END,
       i.status_since, CASE i.status WHEN 'open' THEN NULL ELSE i.status_since END, i.created_at
FROM invitations i
WHERE i.need_kind = 'project_role' AND i.status <> 'accepted'
  AND NOT EXISTS (SELECT 1 FROM crew_members m
                  WHERE m.claim_id = i.claim_id AND m.account_id = i.account_id AND m.ended_at IS NULL);
UPDATE notifications SET kind = 'crew_invitation' WHERE kind = 'invited';
UPDATE notifications SET kind = 'crew_refused' WHERE kind = 'invitation_declined';
DELETE FROM notifications WHERE kind IN
    ('invitation_expired', 'invitation_closed', 'invitation_cancelled', 'recruitment_filled', 'recruitment_ended');
UPDATE notification_preferences SET kind = 'crew_invitation' WHERE kind = 'invited';
UPDATE notification_preferences SET kind = 'crew_refused' WHERE kind = 'invitation_declined';
DELETE FROM notification_preferences WHERE kind IN
    ('invitation_expired', 'invitation_closed', 'invitation_cancelled', 'recruitment_filled', 'recruitment_ended');
DROP TABLE invitation_blocks;
DROP TABLE dismissed_needs;
DROP TABLE invitations;
DROP TABLE recruitments;
