-- What the reconciler reads of a CA, and what it writes when its objects were signed.

-- name: reconcile_ca
-- held: its changes wait, for its release, for the rest of what an import is still bringing, or for those who gain what it gives up; what
-- it has is renewed meanwhile.
SELECT c.ca_id, c.handle, c.kind, c.parent_id, c.repository_id, c.directory, c.resources, c.state, c.version, c.roas_version, c.changed_at,
	c.by_origin, c.set_aside_at, c.suspended_at, c.roll_at, c.roll_staging_s, r.rsync_uri, r.rrdp_uri,
	c.held_at IS NOT NULL OR (c.change_last = 1 AND c.changed_at IS NOT NULL AND EXISTS (SELECT 1 FROM cas g
		WHERE g.change_group = c.change_group AND g.change_last = 0 AND g.changed_at IS NOT NULL))
	OR (c.changed_at IS NOT NULL AND EXISTS (SELECT 1 FROM imports i WHERE i.import_id = c.import_id AND i.state = 'applying')) AS held
FROM cas c JOIN repositories r ON r.repository_id = c.repository_id
WHERE c.ca_id = :ca_id

-- name: reconcile_resources
SELECT resources, parent_id FROM cas WHERE ca_id = :ca_id

-- name: reconcile_keys
SELECT key_id, state, handle, spki, key_identifier, crl_number, manifest_number, this_update_at, staging_s, published_at, retired_at
FROM keys WHERE ca_id = :ca_id AND state <> 'destroyed'

-- name: reconcile_certificate
SELECT object_id, key_id, kind, path, hash, serial, not_before_at, not_after_at, published_serial, resources
FROM objects WHERE subject_ca_id = :ca_id AND withdrawn_serial IS NULL AND withdrawing = 0

-- name: reconcile_intents
SELECT asn, family, address, prefix_length, max_length FROM roas WHERE ca_id = :ca_id
ORDER BY asn, family, address, prefix_length, max_length

-- name: reconcile_objects
SELECT object_id, key_id, kind, path, hash, serial, not_before_at, not_after_at, published_serial, asn, slot
FROM objects WHERE ca_id = :ca_id AND kind <> 'ta' AND withdrawing = 0 AND withdrawn_serial IS NULL
ORDER BY object_id

-- name: reconcile_payloads
SELECT object_id, asn, family, address, prefix_length, max_length FROM roa_payloads WHERE ca_id = :ca_id
ORDER BY asn, family, address, prefix_length, max_length

-- name: reconcile_revoked
SELECT serial, revoked_at FROM objects
WHERE key_id = :key_id AND not_after_at > :now_at AND revoked_at IS NOT NULL AND serial IS NOT NULL

-- name: reconcile_members_changed
SELECT count(*) AS n FROM cas
WHERE kind = 'member' AND changed_at IS NOT NULL AND set_aside_at IS NULL AND (import_id IS NOT NULL) = 0 AND held_at IS NULL

-- name: reconcile_imports_wait
SELECT EXISTS (SELECT 1 FROM cas
	WHERE kind = 'member' AND changed_at IS NOT NULL AND set_aside_at IS NULL AND (import_id IS NOT NULL) = 1 AND held_at IS NULL) AS waiting

-- name: reconcile_changed
-- What an import is still changing waits for its end: else a CA would be signed for again with each part that comes, and a part of its
-- ROAs may make invalid what the others would make valid. Who gives up what others of its group gain comes after them.
SELECT ca_id, version, changed_at, import_id FROM cas
WHERE kind = :kind AND changed_at IS NOT NULL AND set_aside_at IS NULL AND held_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM imports i WHERE i.import_id = cas.import_id AND i.state = 'applying')
	AND NOT (change_last = 1 AND EXISTS (SELECT 1 FROM cas g
		WHERE g.change_group = cas.change_group AND g.change_last = 0 AND g.changed_at IS NOT NULL))
ORDER BY import_id IS NOT NULL, changed_at
LIMIT :count OFFSET :left

-- name: reconcile_new
-- CAs that never had a key.
SELECT ca_id, version FROM cas
WHERE kind = :kind AND changed_at IS NOT NULL AND set_aside_at IS NULL AND held_at IS NULL AND state = 'active'
	AND NOT EXISTS (SELECT 1 FROM keys k WHERE k.ca_id = cas.ca_id)
ORDER BY ca_id
LIMIT :count OFFSET :left

-- name: reconcile_groups
-- The rest of groups of which some are done: one serial brings all of them.
SELECT ca_id, version FROM cas
WHERE kind = :kind AND change_group IS NOT NULL AND changed_at IS NOT NULL AND set_aside_at IS NULL AND held_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM imports i WHERE i.import_id = cas.import_id AND i.state = 'applying')
	AND EXISTS (SELECT 1 FROM cas d WHERE d.change_group = cas.change_group AND d.changed_at IS NULL)
	AND NOT (change_last = 1 AND EXISTS (SELECT 1 FROM cas g
		WHERE g.change_group = cas.change_group AND g.change_last = 0 AND g.changed_at IS NOT NULL))
ORDER BY change_group, ca_id
LIMIT :count OFFSET :left

-- name: reconcile_renewals
-- Of a CA whose changes wait too: it is on hold, or an import goes on, or those are set aside who gain what it gives up. Who is late
-- waits for no turn among those that changed: one turn does both, but where a group has to go together.
SELECT ca_id, version, changed_at, import_id FROM cas
WHERE renew_at IS NOT NULL AND renew_at <= :now_at AND set_aside_at IS NULL AND kind = :kind
	AND (changed_at IS NULL OR held_at IS NOT NULL OR (:late = 1 AND change_group IS NULL)
		OR EXISTS (SELECT 1 FROM imports i WHERE i.import_id = cas.import_id AND i.state = 'applying')
		OR (change_last = 1 AND EXISTS (SELECT 1 FROM cas g
			WHERE g.change_group = cas.change_group AND g.change_last = 0 AND g.changed_at IS NOT NULL)))
ORDER BY renew_at
LIMIT :count OFFSET :left

-- name: reconcile_ahead
-- What was signed under a clock that has turned out wrong: no validator takes it. Not what only another machine can sign.
SELECT DISTINCT c.ca_id, c.version FROM objects o
JOIN cas c ON c.ca_id = COALESCE(o.subject_ca_id, o.ca_id)
JOIN keys k ON k.key_id = o.key_id
WHERE o.not_before_at > :ahead_at AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL AND c.kind = :kind AND c.set_aside_at IS NULL
	AND k.handle IS NOT NULL
LIMIT :count OFFSET :left

-- name: reconcile_any_ahead
SELECT 1 AS yes FROM objects o
JOIN cas c ON c.ca_id = COALESCE(o.subject_ca_id, o.ca_id)
JOIN keys k ON k.key_id = o.key_id
WHERE o.not_before_at > :ahead_at AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL AND c.set_aside_at IS NULL
	AND k.handle IS NOT NULL
LIMIT 1

-- name: reconcile_counts
SELECT count(*) AS changed FROM cas WHERE changed_at IS NOT NULL AND set_aside_at IS NULL AND held_at IS NULL

-- name: reconcile_outdated
-- Manifests that stand as of a backup, while their keys may have signed others since: validators may have seen higher numbers. Not where
-- nothing can be done for it: the CA is set aside, the key is on another machine, the clock went back so far that the plan takes what stands.
SELECT count(*) AS manifests, count(*) FILTER (WHERE k.this_update_at >= :now_at) AS too_early
FROM objects o JOIN keys k ON k.key_id = o.key_id JOIN cas c ON c.ca_id = o.ca_id
WHERE o.kind = 'mft' AND o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL AND o.withdrawing = 0
	AND o.not_before_at < k.this_update_at AND k.this_update_at <= :ahead_at AND k.handle IS NOT NULL AND c.set_aside_at IS NULL

-- name: reconcile_next_renewal
SELECT renew_at FROM cas WHERE renew_at IS NOT NULL AND set_aside_at IS NULL ORDER BY renew_at LIMIT 1

-- name: reconcile_claim
-- Also of one that was overtaken: ROAs were changed meanwhile, and nothing else (each such change raises both versions). It gets what it
-- wanted a moment ago and stays changed, for the rest: else who changes ROAs all the time would never be published. Not where changes
-- belong together.
UPDATE cas SET changed_at = CASE WHEN version <> :version THEN :now_at WHEN held_at IS NULL AND NOT :waits THEN NULL ELSE changed_at END,
	renew_at = :renew_at, by_origin = :by_origin, roll_at = CASE WHEN :staged THEN NULL ELSE roll_at END
WHERE ca_id = :ca_id AND set_aside_at IS NULL AND (version = :version
	OR (version > :version AND version - :version = roas_version - :roas_version AND kind = 'member' AND state = 'active'
		AND held_at IS NULL AND NOT :waits AND change_group IS NULL))
RETURNING version <> :version AS overtaken

-- name: reconcile_deleted
UPDATE cas SET state = 'deleted', deleted_at = :now_at, renew_at = NULL WHERE ca_id = :ca_id AND state = 'deleting'

-- name: reconcile_destroy_keys
UPDATE keys SET state = 'destroyed', handle = NULL WHERE ca_id = :ca_id

-- name: reconcile_parent_changed
UPDATE cas SET changed_at = COALESCE(changed_at, :now_at), version = version + 1 WHERE ca_id = :ca_id

-- name: reconcile_doubt_parent
UPDATE cas SET changed_at = COALESCE(changed_at, :now_at), version = version + 1
WHERE ca_id = (SELECT c.parent_id FROM cas c WHERE c.ca_id = :ca_id)

-- name: reconcile_key_current
SELECT 1 AS yes FROM keys WHERE key_id = :key_id AND state = 'current'

-- name: reconcile_insert_key
INSERT INTO keys (ca_id, state, handle, spki, key_identifier, staging_s, created_at)
VALUES (:ca_id, :state, :handle, :spki, :key_identifier, :staging_s, :now_at)

-- name: reconcile_retire_key
UPDATE keys SET state = 'retired', retired_at = :now_at WHERE key_id = :key_id AND state = 'current'

-- name: reconcile_activate_key
-- When it took over is when the one before retired. Whether it may is the plan's to say: a wrong clock may have made it in the future.
UPDATE keys SET state = 'current' WHERE key_id = :key_id AND state = 'staged'

-- name: reconcile_destroy_key
UPDATE keys SET state = 'destroyed', handle = NULL WHERE key_id = :key_id AND state = 'retired'

-- name: reconcile_move_children
-- Children's certificates move to the new key as renewals, in the time that those have; a version that rises tells who plans one now.
UPDATE cas SET renew_at = :now_at, version = version + 1 WHERE parent_id = :ca_id AND state <> 'deleted' AND renew_at IS NOT NULL

-- name: reconcile_insert_payload
INSERT INTO roa_payloads (ca_id, asn, family, address, prefix_length, max_length, object_id)
VALUES (:ca_id, :asn, :family, :address, :prefix_length, :max_length, :object_id)

-- name: reconcile_set_aside
UPDATE cas SET set_aside_reason = :reason, set_aside_at = :now_at WHERE ca_id = :ca_id AND version = :version AND set_aside_at IS NULL
RETURNING repository_id

-- name: reconcile_unstage_mark
-- Members whose certificate comes or goes with no manifest of this CA to tell so.
UPDATE cas SET changed_at = COALESCE(changed_at, :now_at), version = version + 1
WHERE kind = 'member' AND state <> 'deleted' AND ca_id IN (
	SELECT subject_ca_id FROM objects
	WHERE repository_id = :repository_id AND published_serial IS NULL AND ca_id = :ca_id AND kind = 'cer'
	UNION SELECT subject_ca_id FROM objects
	WHERE repository_id = :repository_id AND withdrawing = 1 AND withdrawn_serial IS NULL AND ca_id = :ca_id AND kind = 'cer')

-- name: reconcile_unstage_drop
-- Of all that are marked, so that it is enough to look at those; but not where a key has gone already. Here and below.
WITH undone AS (SELECT c.ca_id FROM cas c
	WHERE c.parent_id = :ca_id AND c.kind = 'member' AND c.changed_at IS NOT NULL AND c.state <> 'deleted'
	AND NOT EXISTS (SELECT 1 FROM keys k JOIN objects g ON g.key_id = k.key_id
		WHERE k.ca_id = c.ca_id AND k.state = 'destroyed' AND g.revoked_at IS NOT NULL AND g.serial IS NOT NULL
			AND g.withdrawn_serial IS NULL))
DELETE FROM objects
WHERE repository_id = :repository_id AND published_serial IS NULL
	AND (ca_id IN (SELECT ca_id FROM undone) OR subject_ca_id IN (SELECT ca_id FROM undone))

-- name: reconcile_unstage_keep
WITH undone AS (SELECT c.ca_id FROM cas c
	WHERE c.parent_id = :ca_id AND c.kind = 'member' AND c.changed_at IS NOT NULL AND c.state <> 'deleted'
	AND NOT EXISTS (SELECT 1 FROM keys k JOIN objects g ON g.key_id = k.key_id
		WHERE k.ca_id = c.ca_id AND k.state = 'destroyed' AND g.revoked_at IS NOT NULL AND g.serial IS NOT NULL
			AND g.withdrawn_serial IS NULL))
UPDATE objects SET withdrawing = 0, revoked_at = NULL
WHERE repository_id = :repository_id AND withdrawing = 1 AND withdrawn_serial IS NULL
	AND (ca_id IN (SELECT ca_id FROM undone) OR subject_ca_id IN (SELECT ca_id FROM undone))

-- name: reconcile_set_aside_count
-- scan: the partial index holds only CAs that were set aside
SELECT count(*) AS n FROM cas WHERE set_aside_at IS NOT NULL
