-- What a registry feed is held against, and what it changes.

-- name: registry_members
-- scan: all members: a feed tells of all
SELECT ca_id, handle, alias, resources, held_at IS NOT NULL AS held, roas_count FROM cas
WHERE kind = 'member' AND state = 'active'
ORDER BY ca_id

-- name: registry_member
SELECT parent_id, resources, held_at IS NOT NULL AS held, change_group, change_last FROM cas
WHERE ca_id = :ca_id AND kind = 'member' AND state = 'active'

-- name: registry_set_alias
UPDATE cas SET alias = :alias WHERE ca_id = :ca_id

-- name: registry_next_group
SELECT COALESCE(max(change_group), 0) + 1 AS next FROM cas WHERE change_group IS NOT NULL

-- name: registry_set_group
UPDATE cas SET change_group = :change_group, change_last = :change_last WHERE ca_id = :ca_id

-- name: registry_join_group
-- What waited together with a member that now exchanges resources again goes out with that.
UPDATE cas SET change_group = :change_group WHERE change_group = :former

-- name: registry_last
-- scan: its partial index, from the end
SELECT registry FROM registry_feeds WHERE registry IS NOT NULL ORDER BY feed_id DESC LIMIT 1

-- name: registry_insert
INSERT INTO registry_feeds (applied_at, actor, registry, holders, members_new, members_changed, members_gone, roas_lost, code, accepted)
VALUES (:now_at, :actor, :registry, :holders, :members_new, :members_changed, :members_gone, :roas_lost, :code, :accepted)
