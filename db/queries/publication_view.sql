-- name: publication_view_list
-- scan: the repositories are one, or a few
SELECT r.repository_id, r.session, r.rrdp_uri, r.rsync_uri, r.notified_serial, r.notified_at, r.serial, r.cut_at,
	r.rsync_serial, r.rsync_at,
	COALESCE(n.snapshot_size, 0) AS snapshot_size, COALESCE(n.objects, 0) AS objects, COALESCE(n.objects_size, 0) AS objects_size,
	CASE WHEN n.first_delta IS NULL THEN 0 ELSE r.notified_serial - n.first_delta + 1 END AS deltas,
	(SELECT COALESCE(sum(d.delta_size), 0) FROM cuts d
		WHERE d.repository_id = r.repository_id AND d.serial >= n.first_delta AND d.serial <= r.notified_serial) AS deltas_size
FROM repositories r
LEFT JOIN cuts n ON n.repository_id = r.repository_id AND n.serial = r.notified_serial
ORDER BY r.repository_id

-- name: publication_view_cas
-- scan: every CA that there is, once in its index of handles and once for the numbers of ROAs; asked by people, not by jobs
SELECT (SELECT count(*) FROM cas WHERE state <> 'deleted' AND kind = 'member') AS cas,
	(SELECT count(*) FROM cas WHERE changed_at IS NOT NULL AND set_aside_at IS NULL) AS cas_waiting,
	(SELECT count(*) FROM cas WHERE set_aside_at IS NOT NULL) AS cas_set_aside,
	(SELECT COALESCE(sum(roas_count), 0) FROM cas) AS roas
