-- A database that is older than what was published from it goes on: under a new session, with numbers that nobody has seen. Once, with
-- nobody else at work: walks over whole tables are fine here.

-- name: restore_epoch
UPDATE instance SET epoch = :epoch WHERE id = 1

-- name: restore_repositories
-- scan: the repositories are one, or a few
SELECT repository_id FROM repositories ORDER BY repository_id

-- name: restore_session
UPDATE repositories SET session = :session, serial = 0, notified_serial = 0, notified_at = 0, rsync_serial = 0, rsync_at = 0,
	before_at = 0, cut_at = CASE WHEN cut_at >= :now_at THEN :now_at - 1 ELSE cut_at END
WHERE repository_id = :repository_id

-- name: restore_drop_staged
-- Signed for numbers that are not the next ones any more.
-- scan: once in a restore
DELETE FROM objects WHERE published_serial IS NULL

-- name: restore_drop_bytes
-- scan: once in a restore
DELETE FROM object_bytes WHERE object_id IN (SELECT object_id FROM objects WHERE withdrawn_serial IS NOT NULL)

-- name: restore_drop_payloads
-- scan: once in a restore
DELETE FROM roa_payloads WHERE object_id IN (SELECT object_id FROM objects WHERE withdrawn_serial IS NOT NULL)

-- name: restore_objects
-- What stands is part of the first serial of the new session; what had left before is part of none.
-- scan: once in a restore
UPDATE objects SET published_serial = 1, withdrawn_serial = CASE WHEN withdrawn_serial IS NULL THEN NULL ELSE 1 END

-- name: restore_drop_cuts
-- scan: once in a restore
DELETE FROM cuts

-- name: restore_drop_trees
-- scan: a few rows
DELETE FROM rsync_trees

-- name: restore_reserve_tree
-- Its id is the name of a tree: those that are on the disk already are never taken for one of the new ones.
INSERT INTO rsync_trees (tree_id, name)
SELECT :now_at, '' WHERE NOT EXISTS (SELECT 1 FROM rsync_trees WHERE tree_id >= :now_at)

-- name: restore_numbers
-- thisUpdate: there may have been a manifest at any second until now, so each is made anew.
-- scan: once in a restore
UPDATE keys SET crl_number = crl_number + :raise, manifest_number = manifest_number + :raise, this_update_at = :now_at
WHERE handle IS NOT NULL AND state <> 'destroyed'

-- name: restore_trust_anchor
-- Due at once: the new one begins later than any that was issued since (draft-ta-tiebreaker). Not where its key is elsewhere.
-- scan: once in a restore
UPDATE objects SET not_after_at = :now_at
WHERE kind = 'ta' AND withdrawing = 0 AND withdrawn_serial IS NULL AND not_after_at > :now_at
	AND key_id IN (SELECT key_id FROM keys WHERE handle IS NOT NULL)

-- name: restore_ceremony
-- There may have been ceremonies since, whose manifests have higher numbers than the one that is published again: the next is due now.
-- scan: once in a restore
UPDATE ta_ceremonies SET due_at = :now_at WHERE state = 'installed' AND due_at > :now_at

-- name: restore_cas
-- Whose changes wait, for a release or for others, renews all the same: its manifest is due, too.
-- scan: once in a restore
UPDATE cas SET changed_at = :now_at, version = version + 1, set_aside_reason = NULL, set_aside_at = NULL, import_id = NULL,
	renew_at = CASE WHEN renew_at > :now_at AND (held_at IS NOT NULL OR change_last = 1) THEN :now_at ELSE renew_at END
WHERE state <> 'deleted'

-- name: restore_count
-- scan: once in a restore
UPDATE repositories SET
	payloads = (SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = repositories.repository_id AND o.withdrawn_serial IS NULL),
	cas = (SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = repositories.repository_id AND o.kind = 'cer' AND o.withdrawn_serial IS NULL)

-- name: restore_imports
-- Their files were not in the backup.
-- scan: the partial index holds only those that are not over
UPDATE imports SET state = 'failed', error = 'the database was restored: import it again', finished_at = :now_at
WHERE state NOT IN ('done', 'failed')

-- name: restore_refusals
-- scan: a row at most for each repository
DELETE FROM guard_refusals

-- name: restore_transfers
-- They are out with what stands: the first serial of the new session.
-- scan: once in a restore
UPDATE transfers SET serial = 1 WHERE serial IS NOT NULL
