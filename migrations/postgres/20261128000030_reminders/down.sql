DROP INDEX activity_shifts_begin;
ALTER TABLE activity_shifts DROP COLUMN counted_for;
DROP INDEX enrolments_remind;
ALTER TABLE enrolments DROP COLUMN reconfirmed_at;
ALTER TABLE enrolments DROP COLUMN reminded_hours;
ALTER TABLE enrolments DROP COLUMN remind_at;
