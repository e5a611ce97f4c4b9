-- What the publisher reads and records. The state of a serial is what was published with it or before and not withdrawn yet;
-- it never changes once the cut is made. Objects of kind 'ta' (the trust anchor's certificate) are in the rsync tree, never in
-- RRDP.

-- name: publisher_repository
SELECT rrdp_uri, rsync_uri, session, serial, notified_serial, rsync_serial, cut_at, notified_at, rsync_at
FROM repositories WHERE repository_id = :repository_id;

-- name: publisher_repositories
-- scan: the repositories are one, or a few
SELECT repository_id, serial, notified_serial, notified_at, rsync_serial, rsync_at FROM repositories ORDER BY repository_id;

-- name: publisher_cut
SELECT repository_id, serial, cut_at, random, snapshot_hash, snapshot_size, delta_hash, delta_size, first_delta, notified_at, snapshot_kept,
	delta_kept
FROM cuts WHERE repository_id = :repository_id AND serial = :serial;

-- name: publisher_cuts_up
SELECT repository_id, serial, cut_at, random, snapshot_hash, snapshot_size, delta_hash, delta_size, first_delta, notified_at, snapshot_kept,
	delta_kept
FROM cuts WHERE repository_id = :repository_id AND serial >= :serial
ORDER BY serial;

-- name: publisher_cuts_down
SELECT repository_id, serial, cut_at, random, snapshot_hash, snapshot_size, delta_hash, delta_size, first_delta, notified_at, snapshot_kept,
	delta_kept
FROM cuts WHERE repository_id = :repository_id AND serial <= :serial
ORDER BY serial DESC
LIMIT :limit;

-- name: publisher_horizon
-- The oldest serials that something on disk still needs. A tree that was never complete (serial 0) needs the newest state only.
-- scan: rsync_tree_parts has a few rows
SELECT (SELECT min(serial) FROM cuts WHERE repository_id = :repository_id AND snapshot_kept = 1) AS snapshots_from,
	(SELECT min(serial) FROM cuts WHERE repository_id = :repository_id AND delta_kept = 1) AS deltas_from,
	(SELECT min(serial) FROM rsync_tree_parts WHERE repository_id = :repository_id AND serial > 0) AS trees_from;

-- name: publisher_state
-- Two ordered lists merged: what is live now, and what left after that serial.
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND withdrawn_serial IS NULL AND object_id > :after AND published_serial <= :serial
UNION ALL
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND withdrawn_serial > :serial AND object_id > :after AND published_serial <= :serial
ORDER BY object_id
LIMIT :limit;

-- name: publisher_state_count
-- As the cut has counted it. One made before cuts did is counted now: "+ 0" and "object_id > 0" keep SQLite off the index of everything
-- that was ever published.
SELECT COALESCE((SELECT objects FROM cuts WHERE repository_id = :repository_id AND serial = :serial),
	(SELECT count(*) FROM objects
		WHERE repository_id = :repository_id AND withdrawn_serial IS NULL AND object_id > 0
		AND published_serial + 0 <= :serial)
	+ (SELECT count(*) FROM objects
		WHERE repository_id = :repository_id AND withdrawn_serial > :serial AND published_serial <= :serial)) AS objects;

-- name: publisher_state_path
-- The one object of that state at this path: it stays, it leaves with the next cut, or it has left since. COALESCE keeps
-- SQLite off the index of everything that was ever published.
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND path = :path AND withdrawing = 0 AND withdrawn_serial IS NULL
	AND COALESCE(published_serial, :serial + 1) <= :serial
UNION ALL
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND path = :path AND withdrawing = 1 AND withdrawn_serial IS NULL
	AND COALESCE(published_serial, :serial + 1) <= :serial
UNION ALL
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND path = :path AND withdrawn_serial > :serial AND published_serial <= :serial;

-- name: publisher_delta
-- One row per path that the cut changed: first what it published, with what that replaces, then (object_id NULL) what it only
-- withdrew.
WITH changes AS (
	SELECT path, object_id, NULL AS replaced_id FROM objects
	WHERE repository_id = :repository_id AND published_serial = :serial AND kind <> 'ta'
	UNION ALL
	SELECT path, NULL, object_id FROM objects
	WHERE repository_id = :repository_id AND withdrawn_serial = :serial AND kind <> 'ta'),
paths AS (SELECT path, max(object_id) AS object_id, max(replaced_id) AS replaced_id FROM changes GROUP BY path)
SELECT p.object_id, p.path, o.kind, o.hash, o.size, o.modified_at, o.published_serial, r.hash AS replaced_hash
FROM paths p
LEFT JOIN objects o ON o.object_id = p.object_id
LEFT JOIN objects r ON r.object_id = p.replaced_id
ORDER BY p.object_id IS NULL, p.object_id, p.replaced_id;

-- name: publisher_tree_put
-- What a tree of serial :from lacks at :serial.
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND published_serial > :from AND published_serial <= :serial
	AND (withdrawn_serial IS NULL OR withdrawn_serial > :serial) AND object_id > :after
ORDER BY object_id
LIMIT :limit;

-- name: publisher_tree_remove
-- What a tree of serial :from (0: of nothing) has, or got while it was brought towards an earlier target, and :serial has no more.
SELECT object_id, path, kind, hash, size, modified_at, published_serial, NULL AS replaced_hash
FROM objects
WHERE repository_id = :repository_id AND withdrawn_serial > :from AND withdrawn_serial <= :serial
	AND path NOT IN (SELECT path FROM objects
		WHERE repository_id = :repository_id AND published_serial > :from AND published_serial <= :serial
			AND (withdrawn_serial IS NULL OR withdrawn_serial > :serial));

-- name: publisher_bytes
SELECT der FROM object_bytes WHERE object_id = :object_id;

-- name: publisher_record_delta
UPDATE cuts SET delta_hash = :delta_hash, delta_size = :delta_size, snapshot_kept = 0
WHERE repository_id = :repository_id AND serial = :serial;

-- name: publisher_record_files
UPDATE cuts SET snapshot_hash = :snapshot_hash, snapshot_size = :snapshot_size, delta_hash = :delta_hash,
	delta_size = :delta_size,
	first_delta = :first_delta
WHERE repository_id = :repository_id AND serial = :serial;

-- name: publisher_notify
UPDATE repositories SET notified_serial = :serial, notified_at = :now_at WHERE repository_id = :repository_id;

-- name: publisher_notify_cut
UPDATE cuts SET notified_at = :now_at WHERE repository_id = :repository_id AND serial = :serial;

-- name: publisher_drop_payloads
-- Of ROAs that no validator is told of any more.
DELETE FROM roa_payloads WHERE object_id IN (
	SELECT object_id FROM objects
	WHERE repository_id = :repository_id AND withdrawn_serial > :from AND withdrawn_serial <= :serial AND kind = 'roa');

-- name: publisher_retire_cut
UPDATE cuts SET snapshot_kept = :snapshot_kept, delta_kept = :delta_kept WHERE repository_id = :repository_id
	AND serial = :serial;

-- name: publisher_drop_bytes_withdrawn
-- Left all kept states (withdrawn in (:from, :to]) and named by no kept delta (published before :deltas_from).
DELETE FROM object_bytes WHERE object_id IN (
	SELECT object_id FROM objects
	WHERE repository_id = :repository_id AND withdrawn_serial > :from AND withdrawn_serial <= :to
	AND published_serial < :deltas_from);

-- name: publisher_drop_bytes_published
-- The same where it is the deltas that have moved on, from :from to :deltas_from.
DELETE FROM object_bytes WHERE object_id IN (
	SELECT object_id FROM objects
	WHERE repository_id = :repository_id AND published_serial >= :from AND published_serial < :deltas_from
	AND withdrawn_serial <= :to);

-- name: publisher_trees
-- scan: a few rows
-- Serials are sums over the repositories, as no part of a tree ever goes back.
SELECT t.tree_id, t.name, t.retired_at, COALESCE(sum(p.serial), 0) AS serial, COALESCE(sum(p.target_serial), 0) AS target_serial
FROM rsync_trees t LEFT JOIN rsync_tree_parts p ON p.tree_id = t.tree_id
GROUP BY t.tree_id
ORDER BY t.tree_id;

-- name: publisher_tree_part
SELECT serial, target_serial FROM rsync_tree_parts WHERE tree_id = :tree_id AND repository_id = :repository_id;

-- name: publisher_insert_tree
INSERT INTO rsync_trees (name) VALUES ('');

-- name: publisher_name_tree
UPDATE rsync_trees SET name = :name WHERE tree_id = :tree_id;

-- name: publisher_aim_tree
-- scan: the repositories are one, or a few
INSERT INTO rsync_tree_parts (tree_id, repository_id, serial, target_serial)
SELECT :tree_id, repository_id, 0, notified_serial FROM repositories WHERE notified_serial > 0
ON CONFLICT (tree_id, repository_id) DO UPDATE SET target_serial = excluded.target_serial;

-- name: publisher_retire_trees
-- scan: a few rows
UPDATE rsync_trees SET retired_at = :now_at
WHERE retired_at IS NULL AND tree_id <> :tree_id
	AND NOT EXISTS (SELECT 1 FROM rsync_tree_parts p WHERE p.tree_id = rsync_trees.tree_id AND p.target_serial IS NOT NULL);

-- name: publisher_serve_tree
UPDATE rsync_trees SET retired_at = NULL WHERE tree_id = :tree_id;

-- name: publisher_serve_parts
UPDATE rsync_tree_parts SET serial = target_serial, target_serial = NULL WHERE tree_id = :tree_id AND target_serial IS NOT NULL;

-- name: publisher_serve_serials
-- scan: the repositories are one, or a few
UPDATE repositories SET rsync_at = :now_at,
	rsync_serial = COALESCE((SELECT p.serial FROM rsync_tree_parts p
		WHERE p.tree_id = :tree_id AND p.repository_id = repositories.repository_id), 0);

-- name: publisher_drop_tree
DELETE FROM rsync_trees WHERE tree_id = :tree_id;
