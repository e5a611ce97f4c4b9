-- The cut: all that is staged becomes one serial. But for what stands at the publication point of a CA above members that is set aside:
-- no manifest can be made for it, so everything there stays as its last one says. What is staged for a member came together with its
-- manifest, and its certificate with it: that goes out, whatever became of the member afterwards.

-- name: cut_position
-- scan: the repositories are one, or a few
SELECT count(*) AS repositories, sum(serial) AS serial, sum(notified_serial) AS notified_serial, max(notified_at) AS notified_at,
	sum(rsync_serial) AS rsync_serial, max(cut_at) AS cut_at, max(rsync_at) AS rsync_at
FROM repositories

-- name: cut_anew
-- Asked only where there is no serial yet: what is published all the same is from before a restore.
SELECT EXISTS (SELECT 1 FROM objects WHERE repository_id > 0 AND published_serial IS NOT NULL AND withdrawn_serial IS NULL) AS anew

-- name: cut_repositories
-- scan: the repositories are one, or a few
SELECT repository_id, serial FROM repositories ORDER BY repository_id

-- name: cut_blockers
-- A certificate was issued or withdrawn by one of these, and its manifest doesn't say so yet. Not by one that has no key yet.
SELECT count(*) AS n FROM cas
WHERE kind IN ('ta', 'online', 'issuing') AND changed_at IS NOT NULL AND set_aside_at IS NULL
	AND EXISTS (SELECT 1 FROM keys k WHERE k.ca_id = cas.ca_id)

-- name: cut_waiting_anywhere
-- scan: the partial index holds only CAs that were set aside; here and below
SELECT EXISTS (SELECT 1 FROM objects WHERE repository_id > 0 AND published_serial IS NULL
		AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member'))
	OR EXISTS (SELECT 1 FROM objects WHERE repository_id > 0 AND withdrawing = 1 AND withdrawn_serial IS NULL
		AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')) AS waiting

-- name: cut_waiting
-- scan: as above
-- Or it begins anew, after a restore, with what it has.
SELECT EXISTS (SELECT 1 FROM objects WHERE repository_id = :repository_id AND published_serial IS NULL
		AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member'))
	OR EXISTS (SELECT 1 FROM objects WHERE repository_id = :repository_id AND withdrawing = 1 AND withdrawn_serial IS NULL
		AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member'))
	OR EXISTS (SELECT 1 FROM repositories r WHERE r.repository_id = :repository_id AND r.serial = 0
		AND EXISTS (SELECT 1 FROM objects WHERE repository_id = :repository_id AND published_serial = 1 AND withdrawn_serial IS NULL))
		AS waiting

-- name: cut_serial
UPDATE repositories SET serial = serial + 1, cut_at = :now_at WHERE repository_id = :repository_id

-- name: cut_keys
-- scan: as above
UPDATE keys SET crl_number = keys.crl_number + 1, manifest_number = keys.manifest_number + 1, this_update_at = o.not_before_at,
	published_at = CASE WHEN keys.published_at < o.not_before_at THEN keys.published_at ELSE o.not_before_at END
FROM objects o
WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.kind = 'mft' AND o.key_id = keys.key_id
	AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')

-- name: cut_publish
-- scan: as above
UPDATE objects SET published_serial = :serial WHERE repository_id = :repository_id AND published_serial IS NULL
	AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')

-- name: cut_withdraw
-- scan: as above
UPDATE objects SET withdrawn_serial = :serial WHERE repository_id = :repository_id AND withdrawing = 1 AND withdrawn_serial IS NULL
	AND ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')

-- name: cut_groups
-- Those of which nobody waits any more are out with this cut.
UPDATE cas SET change_group = NULL, change_last = 0
WHERE change_group IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cas w WHERE w.change_group = cas.change_group AND w.changed_at IS NOT NULL)

-- name: cut_insert
-- What its state has: that of the serial before and this cut's difference. One with no serial before it is all of its state.
INSERT INTO cuts (repository_id, serial, cut_at, random, objects, objects_size)
SELECT :repository_id, :serial, :now_at, :random, COALESCE(b.objects, 0) + p.objects - w.objects, COALESCE(b.objects_size, 0) + p.size - w.size
FROM (SELECT count(*) AS objects, COALESCE(sum(size), 0) AS size FROM objects
		WHERE repository_id = :repository_id AND published_serial = :serial) p
CROSS JOIN (SELECT count(*) AS objects, COALESCE(sum(size), 0) AS size FROM objects
		WHERE repository_id = :repository_id AND withdrawn_serial = :serial) w
LEFT JOIN cuts b ON b.repository_id = :repository_id AND b.serial = :serial - 1

-- name: cut_transfers
-- scan: the partial index holds only those that no cut has carried yet
-- A transfer is carried once neither of its CAs belongs to a group any more: cut_groups has just ended those that are out. The serial is
-- that of the repository of who gains, or of who gave where nobody here does.
UPDATE transfers SET serial = (SELECT r.serial FROM cas c JOIN repositories r ON r.repository_id = c.repository_id
	WHERE c.ca_id = COALESCE(transfers.to_ca_id, transfers.from_ca_id))
WHERE state = 'issuing' AND serial IS NULL
	AND NOT EXISTS (SELECT 1 FROM cas c
		WHERE c.ca_id IN (transfers.from_ca_id, transfers.to_ca_id) AND c.change_group IS NOT NULL AND c.state <> 'deleted')
