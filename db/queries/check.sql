-- What the self-check holds published files against.

-- name: check_repositories
-- scan: the repositories are one, or a few
SELECT repository_id, rrdp_uri, rsync_uri, session, serial, notified_serial, rsync_serial
FROM repositories ORDER BY repository_id

-- name: check_repository
SELECT repository_id, rrdp_uri, rsync_uri, session, serial, notified_serial, rsync_serial
FROM repositories WHERE repository_id = :repository_id

-- name: check_counts
SELECT objects, objects_size FROM cuts WHERE repository_id = :repository_id AND serial = :serial AND objects IS NOT NULL

-- name: check_ca
-- The CA of a key. coming: what stands at its publication point isn't yet, or no more, that of this serial: whatever changes
-- there brings a new manifest.
SELECT k.ca_id, c.handle, k.state AS key_state, k.manifest_number, c.state, c.changed_at, c.set_aside_at, c.held_at,
	c.suspended_at,
	EXISTS (SELECT 1 FROM objects o WHERE o.ca_id = k.ca_id AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL
		AND COALESCE(o.published_serial, :serial + 1) > :serial) AS coming
FROM keys k
JOIN cas c ON c.ca_id = k.ca_id
WHERE k.key_identifier = :key_identifier AND c.repository_id = :repository_id

-- name: check_cas
-- Those that nothing waits for and that have a manifest in the state of this serial.
SELECT c.ca_id, c.handle, k.key_identifier
FROM cas c
JOIN keys k ON k.ca_id = c.ca_id AND k.state = 'current'
WHERE c.ca_id > :after AND c.repository_id = :repository_id AND c.state = 'active' AND c.changed_at IS NULL
	AND c.set_aside_at IS NULL AND c.suspended_at IS NULL
	AND EXISTS (SELECT 1 FROM objects o WHERE o.ca_id = c.ca_id AND o.kind = 'mft' AND o.key_id = k.key_id AND o.withdrawing = 0
		AND o.withdrawn_serial IS NULL AND COALESCE(o.published_serial, :serial + 1) <= :serial)
ORDER BY c.ca_id
LIMIT :limit

-- name: check_awaits
-- Is this to be reached only once the trust anchor, whose key is on another machine, has signed: what a staged key of a CA under it has
-- signed already, and before the first ceremony the trust anchor's own certificate?
SELECT EXISTS (SELECT 1 FROM objects o
		JOIN keys k ON k.key_id = o.key_id AND k.state = 'staged'
		JOIN cas c ON c.ca_id = o.ca_id
		JOIN keys p ON p.ca_id = c.parent_id AND p.state = 'current' AND p.handle IS NULL
		WHERE o.repository_id = :repository_id AND o.path = :path AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL)
	OR EXISTS (SELECT 1 FROM cas c
		JOIN keys k ON k.ca_id = c.ca_id AND k.state = 'current' AND k.handle IS NULL
		WHERE c.handle = 'ta' AND c.state <> 'deleted' AND c.kind = 'ta' AND c.repository_id = :repository_id AND :path = 'ta/ta.cer'
			AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.ca_id = c.ca_id AND o.kind = 'ta' AND o.withdrawing = 0
				AND o.withdrawn_serial IS NULL)) AS awaits
