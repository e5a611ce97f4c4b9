-- The first rows of an instance: written once, by init.

-- name: tree_insert_instance
INSERT INTO instance (id, uuid, master_key_fingerprint, epoch, created_at) VALUES (1, :uuid, :fingerprint, 1, :now_at)

-- name: tree_insert_repository
INSERT INTO repositories (rrdp_uri, rsync_uri, session) VALUES (:rrdp_uri, :rsync_uri, :session)

-- name: tree_insert_ca
INSERT INTO cas (handle, kind, parent_id, repository_id, directory, resources, changed_at, created_at)
VALUES (:handle, :kind, :parent_id, :repository_id, :directory, :resources, :now_at, :now_at)

-- name: tree_instance
-- scan: the repositories are one, or a few
SELECT i.uuid, i.master_key_fingerprint, i.epoch, r.repository_id, r.rrdp_uri, r.rsync_uri
FROM instance i, repositories r WHERE i.id = 1 ORDER BY r.repository_id LIMIT 1
