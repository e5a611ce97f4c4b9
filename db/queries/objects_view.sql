-- name: objects_view_list
-- In the notification on disk: published with its serial or before, withdrawn after it or not at all. In turn: what stands at the
-- CA's publication point, its own certificate, and of both what is about to leave. Each part has an index of its own
-- (the plus keeps the planner from that of published_serial, which nearly all objects are in).
SELECT path, kind, hash, serial, size, not_before_at, not_after_at, published_serial
FROM objects
WHERE ca_id = :ca_id AND withdrawing = 0 AND withdrawn_serial IS NULL AND published_serial <= :notified_serial
UNION ALL
SELECT path, kind, hash, serial, size, not_before_at, not_after_at, published_serial
FROM objects
WHERE subject_ca_id = :ca_id AND withdrawn_serial IS NULL AND published_serial <= :notified_serial AND ca_id <> :ca_id
UNION ALL
SELECT path, kind, hash, serial, size, not_before_at, not_after_at, published_serial
FROM objects
WHERE repository_id = :repository_id AND withdrawing = 1 AND withdrawn_serial IS NULL AND +published_serial <= :notified_serial
	AND ca_id = :ca_id
UNION ALL
SELECT path, kind, hash, serial, size, not_before_at, not_after_at, published_serial
FROM objects
WHERE repository_id = :repository_id AND withdrawn_serial > :notified_serial AND +published_serial <= :notified_serial
	AND (ca_id = :ca_id OR subject_ca_id = :ca_id)
ORDER BY path, published_serial
