-- What a registry feed is held against, and what it changes.

-- name: registry_members
-- scan: all members: a feed tells of all
SELECT ca_id, handle, alias, resources, held_at IS NOT NULL OR set_aside_at IS NOT NULL AS held, change_group IS NOT NULL AS waiting,
	roas_count
FROM cas
WHERE kind = 'member' AND state = 'active'
ORDER BY ca_id

-- name: registry_member
SELECT parent_id, resources, held_at IS NOT NULL OR set_aside_at IS NOT NULL AS held, change_group IS NOT NULL AS waiting FROM cas
WHERE ca_id = :ca_id AND kind = 'member' AND state = 'active'

-- name: registry_set_alias
UPDATE cas SET alias = :alias WHERE ca_id = :ca_id

-- name: registry_last
-- scan: its partial index, from the end
SELECT registry FROM registry_feeds WHERE registry IS NOT NULL ORDER BY feed_id DESC LIMIT 1

-- name: registry_insert
INSERT INTO registry_feeds (applied_at, actor, registry, holders, members_new, members_changed, members_gone, roas_lost, code, accepted)
VALUES (:now_at, :actor, :registry, :holders, :members_new, :members_changed, :members_gone, :roas_lost, :code, :accepted)
