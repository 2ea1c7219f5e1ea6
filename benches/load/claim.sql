-- Every statement that one claim of a wish runs, journal and outbox included, as the server sends
-- them (see POST /wishes/{id}/claim); the ids are given, as there. Each client is one claimant.
\set i :i + 1
\set n :first + :client_id * :each + :i
SELECT s.id FROM sessions s JOIN accounts a ON s.account_id = a.id WHERE s.id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND s.account_id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND s.ended_at IS NULL AND a.status = 'active' LIMIT 1;
SELECT id, account_id, role, scope_kind, scope_id, granted_at FROM role_grants WHERE account_id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND revoked_at IS NULL ORDER BY id;
BEGIN;
SELECT * FROM wishes WHERE id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid LIMIT 1;
SELECT * FROM accounts WHERE id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND status != 'deleted' LIMIT 1;
SELECT pg_advisory_xact_lock(:client_id);
SELECT COUNT(*) FROM wish_claims WHERE claimant_id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND organization_id IS NULL AND outcome = 'lapsed' AND ended_at > now() - interval '90 days';
SELECT COUNT(*) FROM wish_claims WHERE claimant_id = ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid AND organization_id IS NULL AND ended_at IS NULL;
UPDATE wishes SET status = 'claimed', status_since = now(), due_at = now() + interval '7 days', version = version + 1 WHERE id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid AND status = 'published' RETURNING author_id AS author, region_id AS region \gset
INSERT INTO journal (at, actor_kind, actor_id, kind, subject_kind, subject_id, region_id, from_state, to_state, reason, payload) VALUES (now(), 'account', ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid, 'wish.claim', 'wish', ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid, :region::text::uuid, 'published', 'claimed', NULL, 'null') RETURNING *;
SELECT * FROM wishes WHERE id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid LIMIT 1;
INSERT INTO wish_claims (id, wish_id, claimant_id, claimed_at, lease_until, ended_at, outcome, organization_id) VALUES (gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid, ('00000000-0000-7000-9000-' || lpad(:client_id::text, 12, '0'))::uuid, now(), now() + interval '7 days', DEFAULT, DEFAULT, DEFAULT);
INSERT INTO jobs (id, kind, payload, status, run_at, attempts, created_at) VALUES (gen_random_uuid(), 'wish.remind', '{"wish": "00000000-0000-7000-8000-000000000000", "claim": "00000000-0000-7000-8000-000000000000", "lease_until": "2026-11-30T00:00:00Z"}', 'queued', now() + interval '6 days', 0, now());
SELECT EXISTS (SELECT * FROM accounts WHERE id = :author::text::uuid AND status != 'deleted' AND (phone IS NOT NULL OR password_hash IS NOT NULL));
SELECT id, account_id, role, scope_kind, scope_id, granted_at FROM role_grants WHERE account_id = :author::text::uuid AND revoked_at IS NULL ORDER BY id;
INSERT INTO notifications (id, account_id, kind, subject_kind, subject_id, params, created_at, read_at) VALUES (gen_random_uuid(), :author::text::uuid, 'wish_claimed', 'wish', ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid, '{"name": "示例", "title": "示例"}', now(), DEFAULT);
SELECT * FROM accounts WHERE id = :author::text::uuid AND status != 'deleted' LIMIT 1;
SELECT * FROM wish_claims WHERE wish_id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid AND ended_at IS NULL LIMIT 1;
SELECT r.name FROM region_ancestors a JOIN regions r ON r.id = a.ancestor_id WHERE a.region_id = :region::text::uuid AND r.level = 'street' LIMIT 1;
SELECT * FROM wish_claims WHERE wish_id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid AND ended_at IS NULL LIMIT 1;
SELECT id, wish_id, claim_id, photo, thumbnail, created_at FROM wish_evidence WHERE wish_id = ('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid ORDER BY id;
COMMIT;
