-- name: imports_insert
INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES (:import_id, :kind, 'checking', :actor, :now_at)

-- name: imports_get
SELECT import_id, kind, state, actor, started_at, finished_at, entries_total, entries_done, members_created, members_unchanged,
	members_different, roas_created, roas_unchanged, roas_not_held, warnings, cas_to_issue, serial, error,
	(SELECT count(*) FROM cas c WHERE c.import_id = :import_id AND c.changed_at IS NOT NULL) AS cas_waiting
FROM imports
WHERE import_id = :import_id

-- name: imports_open
-- scan: the partial index holds only those that have not ended. The one that is being checked or applied, perhaps before a kill.
SELECT import_id FROM imports WHERE state NOT IN ('done', 'failed') AND state <> 'issuing' ORDER BY started_at LIMIT 1

-- name: imports_issuing
-- scan: as above
SELECT import_id FROM imports WHERE state NOT IN ('done', 'failed') AND state = 'issuing' ORDER BY started_at

-- name: imports_checked
UPDATE imports SET state = 'applying', entries_total = :entries_total WHERE import_id = :import_id

-- name: imports_add
UPDATE imports SET
	entries_done = entries_done + :entries_done,
	members_created = members_created + :members_created,
	members_unchanged = members_unchanged + :members_unchanged,
	members_different = members_different + :members_different,
	roas_created = roas_created + :roas_created,
	roas_unchanged = roas_unchanged + :roas_unchanged,
	roas_not_held = roas_not_held + :roas_not_held,
	warnings = warnings + :warnings
WHERE import_id = :import_id

-- name: imports_applied
-- scan: all CAs, once an import: some of its own may have been issued already
UPDATE imports SET state = 'issuing', cas_to_issue = (SELECT count(*) FROM cas c WHERE c.import_id = :import_id)
WHERE import_id = :import_id

-- name: imports_waiting
-- CAs that were set aside wait for an operator, not for this import's end.
SELECT count(*) AS cas FROM cas WHERE import_id = :import_id AND changed_at IS NOT NULL AND set_aside_at IS NULL

-- name: imports_set_aside
SELECT count(*) AS cas FROM cas WHERE import_id = :import_id AND changed_at IS NOT NULL AND set_aside_at IS NOT NULL

-- name: imports_unpublished
-- scan: the partial index holds only what is staged
-- Whether an object of one of its CAs, or a certificate for one, is signed and not in the notification on disk yet. The joins are
-- in this order because few objects are that new.
SELECT EXISTS (SELECT 1 FROM objects o
		JOIN cas c ON c.ca_id = COALESCE(o.subject_ca_id, o.ca_id)
		WHERE o.published_serial IS NULL AND c.import_id = :import_id)
	OR EXISTS (SELECT 1 FROM repositories r
		CROSS JOIN objects o
		CROSS JOIN cas c
		WHERE o.repository_id = r.repository_id AND o.published_serial > r.notified_serial
			AND c.ca_id = COALESCE(o.subject_ca_id, o.ca_id) AND c.import_id = :import_id) AS unpublished

-- name: imports_done
-- scan: the repositories are one, or a few
UPDATE imports SET state = 'done', finished_at = :now_at, serial = (SELECT notified_serial FROM repositories ORDER BY repository_id LIMIT 1)
WHERE import_id = :import_id AND state = 'issuing'

-- name: imports_failed
UPDATE imports SET state = 'failed', finished_at = :now_at, error = :error WHERE import_id = :import_id

-- name: imports_insert_remark
-- Numbered from 1; those past the limit are counted in the import's row alone.
INSERT INTO import_remarks (import_id, remark_id, kind, text)
SELECT :import_id, last + 1, :kind, :text
FROM (SELECT COALESCE(max(remark_id), 0) AS last FROM import_remarks WHERE import_id = :import_id) AS remarks
WHERE last < :remarks_max

-- name: imports_remarks
SELECT remark_id, kind, text FROM import_remarks
WHERE import_id = :import_id AND remark_id > :after
ORDER BY remark_id
LIMIT :limit
