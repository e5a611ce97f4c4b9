-- name: cas_by_handle
SELECT ca_id, kind, state FROM cas WHERE handle = :handle AND state <> 'deleted'

-- name: cas_get
SELECT c.ca_id, c.handle, c.kind, c.parent_id, c.repository_id, c.resources, c.state, c.version, c.roas_version, c.roas_count,
	c.changed_at, c.set_aside_reason, c.created_at, c.held_at, c.suspended_at, c.change_group, c.change_last,
	p.handle AS parent_handle, r.rsync_uri, r.notified_serial
FROM cas c
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas p ON p.ca_id = c.parent_id
WHERE c.ca_id = :ca_id AND c.state <> 'deleted'

-- name: cas_list
-- Members: the engine's own CAs are found by their handle.
SELECT c.ca_id, c.handle, c.kind, c.parent_id, c.repository_id, c.resources, c.state, c.version, c.roas_version, c.roas_count,
	c.changed_at, c.set_aside_reason, c.created_at, c.held_at, c.suspended_at, c.change_group, c.change_last,
	p.handle AS parent_handle, r.rsync_uri, r.notified_serial
FROM cas c
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas p ON p.ca_id = c.parent_id
WHERE c.state <> 'deleted' AND c.handle > :after AND c.kind = 'member'
ORDER BY c.handle
LIMIT :limit

-- name: cas_list_set_aside
SELECT c.ca_id, c.handle, c.kind, c.parent_id, c.repository_id, c.resources, c.state, c.version, c.roas_version, c.roas_count,
	c.changed_at, c.set_aside_reason, c.created_at, c.held_at, c.suspended_at, c.change_group, c.change_last,
	p.handle AS parent_handle, r.rsync_uri, r.notified_serial
FROM cas c
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas p ON p.ca_id = c.parent_id
WHERE c.set_aside_at IS NOT NULL AND c.handle > :after
ORDER BY c.handle
LIMIT :limit

-- name: cas_insert
INSERT INTO cas (handle, kind, parent_id, repository_id, directory, resources, changed_at, import_id, alias, created_at)
VALUES (:handle, :kind, :parent_id, :repository_id, :directory, :resources, :created_at, :import_id, :alias, :created_at)
RETURNING ca_id

-- name: cas_issuing_with_room
-- scan: the few repositories and their issuing CAs; children are counted by an index range for each, up to the first with room
-- The newest first: it is the one that has room, so that nobody counts the children of all others for one more.
-- Where the snapshot that validators get is too large nobody is taken any more, but by the last repository that there may be. Issuing CAs
-- side by side share the places of their repository; one that is alone has all that it may have.
WITH homes AS (
	SELECT r.repository_id, CASE WHEN count(*) = 1 OR r.repository_id >= :repositories_max OR :places_max / count(*) > :children_max
		THEN :children_max ELSE :places_max / count(*) END AS places
	FROM repositories r
	JOIN cas s ON s.repository_id = r.repository_id AND s.kind = 'issuing'
	LEFT JOIN cuts n ON n.repository_id = r.repository_id AND n.serial = r.notified_serial
	WHERE r.repository_id >= :repositories_max OR COALESCE(n.snapshot_size, 0) <= :snapshot_max
	GROUP BY r.repository_id)
SELECT i.ca_id, i.repository_id, max(h.places) - count(m.ca_id) AS room
FROM cas i
JOIN homes h ON h.repository_id = i.repository_id
LEFT JOIN cas m ON m.parent_id = i.ca_id AND m.state <> 'deleted'
WHERE i.kind = 'issuing' AND i.state = 'active'
GROUP BY i.ca_id
HAVING count(m.ca_id) < max(h.places)
ORDER BY i.ca_id DESC
LIMIT 1

-- name: cas_last_issuing
-- scan: its partial index, from the end
SELECT ca_id, parent_id FROM cas WHERE kind = 'issuing' AND state = 'active' ORDER BY ca_id DESC LIMIT 1

-- name: cas_count_issuing
-- scan: its partial index
SELECT count(*) AS cas FROM cas WHERE kind = 'issuing'

-- name: cas_set_resources
-- A member's own change goes before what an import changed: hence no import_id any more, here and below.
UPDATE cas SET resources = :resources, version = version + 1, changed_at = COALESCE(changed_at, :now_at), import_id = NULL
WHERE ca_id = :ca_id

-- name: cas_change_roas
-- An import takes no change over that a member has waiting: what it brings goes along with that.
UPDATE cas SET roas_version = roas_version + 1, roas_count = roas_count + :roas_more, version = version + 1,
	changed_at = COALESCE(changed_at, :now_at),
	import_id = CASE WHEN changed_at IS NOT NULL AND import_id IS NULL THEN NULL ELSE :import_id END
WHERE ca_id = :ca_id

-- name: cas_change_comments
-- The list is another one, but nothing has to be issued. Both versions rise, as with any change of ROAs: reconcile_claim compares them.
UPDATE cas SET roas_version = roas_version + 1, version = version + 1 WHERE ca_id = :ca_id

-- name: cas_delete
-- The row stays for the audit; the reconciler withdraws what was issued and then makes it 'deleted', which frees the handle. Of one that
-- was set aside too: to withdraw needs nothing of its own, no key above all. The same where it is suspended.
UPDATE cas SET state = 'deleting', set_aside_reason = NULL, set_aside_at = NULL, roas_count = 0,
	roas_version = roas_version + 1, version = version + 1,
	changed_at = COALESCE(changed_at, :now_at), import_id = NULL
WHERE ca_id = :ca_id

-- name: cas_repair
UPDATE cas SET set_aside_reason = NULL, set_aside_at = NULL, version = version + 1, changed_at = COALESCE(changed_at, :now_at)
WHERE ca_id = :ca_id AND set_aside_at IS NOT NULL

-- name: cas_hold
-- Nothing becomes due; the version rises so that what is being signed for it at this instant isn't kept.
UPDATE cas SET held_at = :now_at, version = version + 1 WHERE ca_id = :ca_id AND held_at IS NULL

-- name: cas_release
UPDATE cas SET held_at = NULL, version = version + 1, changed_at = COALESCE(changed_at, :now_at)
WHERE ca_id = :ca_id AND held_at IS NOT NULL

-- name: cas_suspend
UPDATE cas SET suspended_at = :now_at, set_aside_reason = NULL, set_aside_at = NULL, version = version + 1,
	changed_at = COALESCE(changed_at, :now_at), import_id = NULL
WHERE ca_id = :ca_id AND suspended_at IS NULL

-- name: cas_resume
UPDATE cas SET suspended_at = NULL, version = version + 1, changed_at = COALESCE(changed_at, :now_at), import_id = NULL
WHERE ca_id = :ca_id AND suspended_at IS NOT NULL

-- name: cas_next_group
SELECT COALESCE(max(change_group), 0) + 1 AS next FROM cas WHERE change_group IS NOT NULL

-- name: cas_merge_groups
-- What waited together with a CA that is in a further change now belongs with that, too.
UPDATE cas SET change_group = :change_group
WHERE change_group = (SELECT c.change_group FROM cas c WHERE c.ca_id = :ca_id)

-- name: cas_set_group
UPDATE cas SET change_group = :change_group, change_last = :change_last WHERE ca_id = :ca_id
