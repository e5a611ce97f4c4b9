-- What tells one state of the database from an older one.

-- name: epoch_mark
-- scan: the repositories are one, or a few
SELECT uuid, epoch, (SELECT COALESCE(sum(serial), 0) FROM repositories) AS serial,
	(SELECT COALESCE(max(cut_at), 0) FROM repositories) AS cut_at, (SELECT COALESCE(max(audit_id), 0) FROM audit) AS audit_id
FROM instance WHERE id = 1

-- name: epoch_begin
UPDATE instance SET epoch = 1 WHERE id = 1 AND epoch = 0
