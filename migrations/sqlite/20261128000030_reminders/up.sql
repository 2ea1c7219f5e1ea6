-- when it is looked at for the next reminder of its shift
ALTER TABLE enrolments ADD COLUMN remind_at INTEGER;
-- the last reminder that was told, in hours before the shift
ALTER TABLE enrolments ADD COLUMN reminded_hours INTEGER;
-- when the person said again that they come
ALTER TABLE enrolments ADD COLUMN reconfirmed_at INTEGER;
CREATE INDEX enrolments_remind ON enrolments (remind_at) WHERE remind_at IS NOT NULL;
-- those who stand in a shift already are looked at once, and from then on in time
UPDATE enrolments SET remind_at = status_since WHERE status = 'confirmed';
-- the beginning for which its organisers were told how many have not said again that they come
ALTER TABLE activity_shifts ADD COLUMN counted_for INTEGER;
CREATE INDEX activity_shifts_begin ON activity_shifts (starts_at);
