-- name: objects_view_list
-- In the notification on disk: published with its serial or before, withdrawn after it or not at all. In turn: what stands at the
-- CA's publication point, its own certificate, and of both what is about to leave. Each part has an index of its own
-- scan: the repositories are one, or a few
-- (the plus keeps the planner from that of published_serial, which nearly all objects are in).
SELECT o.path, o.kind, o.hash, o.serial, o.size, o.not_before_at, o.not_after_at, o.published_serial
FROM objects o JOIN repositories r ON r.repository_id = o.repository_id
WHERE o.ca_id = :ca_id AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL AND o.published_serial <= r.notified_serial
UNION ALL
SELECT o.path, o.kind, o.hash, o.serial, o.size, o.not_before_at, o.not_after_at, o.published_serial
FROM objects o JOIN repositories r ON r.repository_id = o.repository_id
WHERE o.subject_ca_id = :ca_id AND o.withdrawn_serial IS NULL AND o.published_serial <= r.notified_serial AND o.ca_id <> :ca_id
UNION ALL
SELECT o.path, o.kind, o.hash, o.serial, o.size, o.not_before_at, o.not_after_at, o.published_serial
FROM repositories r JOIN objects o ON o.repository_id = r.repository_id
WHERE o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND +o.published_serial <= r.notified_serial AND o.ca_id = :ca_id
UNION ALL
SELECT o.path, o.kind, o.hash, o.serial, o.size, o.not_before_at, o.not_after_at, o.published_serial
FROM repositories r JOIN objects o ON o.repository_id = r.repository_id
WHERE o.withdrawn_serial > r.notified_serial AND +o.published_serial <= r.notified_serial AND (o.ca_id = :ca_id OR o.subject_ca_id = :ca_id)
ORDER BY 1, 8
