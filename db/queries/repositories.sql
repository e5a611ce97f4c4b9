-- Where issuing CAs go, and further repositories beside the first.

-- name: repositories_newest
-- scan: the repositories and the issuing CAs are few; members by the index of their issuing CA, once for some thousands of new ones
SELECT r.repository_id,
	(SELECT n.snapshot_size FROM cuts n WHERE n.repository_id = r.repository_id AND n.serial = r.notified_serial) AS snapshot_size,
	(SELECT count(*) FROM cas i WHERE i.kind = 'issuing' AND i.repository_id = r.repository_id) AS issuing,
	(SELECT count(*) FROM cas i JOIN cas m ON m.parent_id = i.ca_id AND m.state <> 'deleted'
		WHERE i.kind = 'issuing' AND i.repository_id = r.repository_id) AS members,
	(SELECT COALESCE(sum(m.roas_count), 0) FROM cas i JOIN cas m ON m.parent_id = i.ca_id AND m.state <> 'deleted'
		WHERE i.kind = 'issuing' AND i.repository_id = r.repository_id) AS payloads,
	(SELECT COALESCE(sum(CASE WHEN m.roas_count > :roas_max THEN :roas_max ELSE m.roas_count END), 0)
		FROM cas i JOIN cas m ON m.parent_id = i.ca_id AND m.state <> 'deleted'
		WHERE i.kind = 'issuing' AND i.repository_id = r.repository_id) AS roas
FROM repositories r
ORDER BY r.repository_id DESC
LIMIT 1

-- name: repositories_open
-- Below the first one's base, and with its rsync tree.
-- scan: the first row
INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri, session)
SELECT :repository_id, rrdp_uri || CAST(:repository_id AS TEXT) || '/', rsync_uri, :session
FROM repositories ORDER BY repository_id LIMIT 1
