-- Every statement that one enrolment runs, journal and outbox included, as the server sends them (see POST
-- /shifts/{id}/enrolments); the ids are given, as there. Each client is many people, one after the other.
\set i :i + 1
\set n :client_id * :each + :i
SELECT s.id FROM sessions s JOIN accounts a ON s.account_id = a.id WHERE s.id = ('00000000-0000-7000-b000-' || lpad(:n::text, 12, '0'))::uuid AND s.account_id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid AND s.ended_at IS NULL AND a.status = 'active' LIMIT 1;
SELECT id, account_id, role, scope_kind, scope_id, granted_at FROM role_grants WHERE account_id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid AND revoked_at IS NULL ORDER BY id;
BEGIN;
SELECT * FROM activity_shifts WHERE id = '00000000-0000-7000-c000-000000000002' LIMIT 1;
SELECT pg_advisory_xact_lock_shared(1);
SELECT * FROM activity_shifts WHERE id = '00000000-0000-7000-c000-000000000002' LIMIT 1;
SELECT * FROM activities WHERE id = '00000000-0000-7000-8000-000000000002' LIMIT 1;
SELECT pg_advisory_xact_lock(1000 + :n);
SELECT * FROM enrolments WHERE account_id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid AND shift_id = '00000000-0000-7000-c000-000000000002';
SELECT account_id, region_id, birth_date FROM volunteers WHERE account_id = ANY (ARRAY[('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid]);
SELECT account_id, id, starts_at, ends_at FROM enrolments WHERE account_id = ANY (ARRAY[('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid]) AND holds_seat AND ends_at > now();
SELECT * FROM qualifications WHERE account_id = ANY (ARRAY[('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid]);
WITH took AS (UPDATE activity_shifts SET taken = taken + 1 WHERE id = '00000000-0000-7000-c000-000000000002' AND taken < seats RETURNING 1) SELECT count(*) AS took, gen_random_uuid() AS id FROM took \gset
\if :took
SAVEPOINT one;
INSERT INTO enrolments (id, activity_id, shift_id, account_id, status, status_since, holds_seat, starts_at, ends_at, heard, created_at) SELECT :id::text::uuid, activity_id, id, ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid, 'confirmed', now(), true, starts_at, ends_at, 0, now() FROM activity_shifts WHERE id = '00000000-0000-7000-c000-000000000002';
RELEASE SAVEPOINT one;
\else
UPDATE activity_shifts SET queued = queued + 1 WHERE id = '00000000-0000-7000-c000-000000000002' RETURNING queued \gset
SAVEPOINT one;
INSERT INTO enrolments (id, activity_id, shift_id, account_id, status, status_since, holds_seat, starts_at, ends_at, queue_no, heard, created_at) SELECT :id::text::uuid, activity_id, id, ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid, 'waitlisted', now(), false, starts_at, ends_at, :queued::text::int, 0, now() FROM activity_shifts WHERE id = '00000000-0000-7000-c000-000000000002';
RELEASE SAVEPOINT one;
\endif
INSERT INTO journal (at, actor_kind, actor_id, kind, subject_kind, subject_id, region_id, from_state, to_state, reason, payload) VALUES (now(), 'account', ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid, 'enrolment.enrol', 'enrolment', :id::text::uuid, NULL, NULL, NULL, NULL, '{"activity_id": "00000000-0000-7000-8000-000000000002", "shift_id": "00000000-0000-7000-c000-000000000002"}') RETURNING *;
INSERT INTO notifications (id, account_id, kind, subject_kind, subject_id, params, created_at, read_at) VALUES (gen_random_uuid(), ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid, 'enrolment_confirmed', 'activity', '00000000-0000-7000-8000-000000000002', '{"at": "2026-12-01 09:00", "role": "示例", "title": "示例"}', now(), DEFAULT);
SELECT * FROM accounts WHERE id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid AND status != 'deleted' LIMIT 1;
SELECT mail FROM notification_preferences WHERE account_id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid AND kind = 'enrolment_confirmed' LIMIT 1;
SELECT from_minute, to_minute FROM quiet_hours WHERE account_id = ('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid LIMIT 1;
INSERT INTO jobs (id, kind, payload, status, run_at, attempts, created_at) VALUES (gen_random_uuid(), 'notice', '{"to": "00000000-0000-7000-9000-000000000000", "kind": "enrolment_confirmed", "mail": {"to": "load-0@demo.invalid", "subject": "报名成功", "text": "您已报名活动。"}}', 'done', now(), 0, now());
SELECT * FROM activities WHERE id = ANY (ARRAY['00000000-0000-7000-8000-000000000002'::uuid]);
SELECT * FROM activity_shifts WHERE id = ANY (ARRAY['00000000-0000-7000-c000-000000000002'::uuid]);
SELECT id, display_name FROM accounts WHERE id = ANY (ARRAY[('00000000-0000-7000-9000-' || lpad(:n::text, 12, '0'))::uuid]) AND status != 'deleted';
\if :took
\else
SELECT e.id, (SELECT count(*) FROM enrolments o WHERE o.shift_id = e.shift_id AND o.status = 'waitlisted' AND o.queue_no < e.queue_no) FROM enrolments e WHERE e.id = ANY (ARRAY[:id::text::uuid]);
\endif
COMMIT;
