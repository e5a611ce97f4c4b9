-- What the server tells of itself: asked once a second at most, so nothing here walks over what is well.

-- name: health_queue
-- The index holds only CAs that wait, and all that is asked for.
SELECT count(*) FILTER (WHERE held_at IS NULL) AS cas, min(changed_at) FILTER (WHERE held_at IS NULL) AS oldest_at,
	count(*) FILTER (WHERE held_at IS NOT NULL) AS held
FROM cas WHERE changed_at IS NOT NULL AND set_aside_at IS NULL

-- name: health_renewals
SELECT count(*) AS due, count(*) FILTER (WHERE renew_at <= :overdue_at) AS overdue, min(renew_at) AS first_at
FROM cas WHERE renew_at IS NOT NULL AND renew_at <= :now_at AND set_aside_at IS NULL

-- name: health_set_aside
-- scan: the partial index holds only CAs that were set aside
SELECT count(*) AS cas, count(*) FILTER (WHERE kind <> 'member') AS parents, min(set_aside_at) AS first_at
FROM cas WHERE set_aside_at IS NOT NULL

-- name: health_set_aside_list
-- scan: the partial index holds only CAs that were set aside
SELECT handle, set_aside_at FROM cas WHERE set_aside_at IS NOT NULL ORDER BY handle LIMIT :limit

-- name: health_expiry
-- Of CAs that work; those set aside are passed over: they are few, and told of apart. A certificate is its subject's to renew.
SELECT o.not_after_at
FROM objects o JOIN cas c ON c.ca_id = COALESCE(o.subject_ca_id, o.ca_id)
WHERE o.kind = :kind AND o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL AND c.set_aside_at IS NULL
ORDER BY o.not_after_at
LIMIT 1

-- name: health_set_aside_expiry
-- scan: of the first :limit that were set aside
SELECT min(o.not_after_at) AS first_at
FROM (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL ORDER BY handle LIMIT :limit) c
JOIN objects o ON o.ca_id = c.ca_id AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL
