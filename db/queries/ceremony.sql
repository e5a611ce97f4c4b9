-- Ceremonies of a trust anchor on a machine of its own.

-- name: ceremony_ta
-- scan: the trust anchor is the first row
SELECT c.ca_id, c.directory, r.repository_id, k.key_id, k.spki, k.handle IS NULL AS offline
FROM cas c JOIN keys k ON k.ca_id = c.ca_id AND k.state = 'current' JOIN repositories r ON r.repository_id = c.repository_id
WHERE c.kind = 'ta' ORDER BY c.ca_id LIMIT 1

-- name: ceremony_instance
SELECT uuid FROM instance WHERE id = 1

-- name: ceremony_children
SELECT ca_id FROM cas WHERE parent_id = :ca_id AND state <> 'deleted' ORDER BY ca_id

-- name: ceremony_subject
SELECT ca_id FROM keys WHERE key_identifier = :key_identifier

-- name: ceremony_request_key
SELECT handle, spki FROM ta_request_key WHERE id = 1

-- name: ceremony_insert_request_key
INSERT INTO ta_request_key (id, handle, spki) VALUES (1, :handle, :spki)

-- name: ceremony_last
-- scan: the last row alone
SELECT number FROM ta_ceremonies ORDER BY number DESC LIMIT 1

-- name: ceremony_pending
SELECT number, request, requested_at FROM ta_ceremonies WHERE state = 'pending'

-- name: ceremony_by_number
SELECT state, installed_at FROM ta_ceremonies WHERE number = :number

-- name: ceremony_supersede
UPDATE ta_ceremonies SET state = 'superseded' WHERE state = 'pending'

-- name: ceremony_insert
INSERT INTO ta_ceremonies (number, state, request, requested_at) VALUES (:number, 'pending', :request, :now_at)

-- name: ceremony_install
UPDATE ta_ceremonies SET state = 'installed', installed_at = :now_at, due_at = :due_at WHERE number = :number AND state = 'pending'

-- name: ceremony_installed
-- scan: the last row alone
SELECT number, requested_at, installed_at, due_at FROM ta_ceremonies WHERE state = 'installed' ORDER BY number DESC LIMIT 1

-- name: ceremony_objects
SELECT object_id, kind, serial, not_after_at, published_serial FROM objects
WHERE ca_id = :ca_id AND withdrawing = 0 AND withdrawn_serial IS NULL ORDER BY object_id

-- name: ceremony_revoked
SELECT serial, revoked_at, not_after_at FROM objects
WHERE key_id = :key_id AND not_after_at > :now_at AND revoked_at IS NOT NULL AND serial IS NOT NULL AND kind <> 'ta'

-- name: ceremony_numbers
-- The cut adds one.
UPDATE keys SET crl_number = :crl_number - 1, manifest_number = :manifest_number - 1 WHERE key_id = :key_id

-- name: ceremony_settle
UPDATE cas SET changed_at = NULL, renew_at = NULL WHERE ca_id = :ca_id

-- name: ceremony_ta_handle
SELECT handle FROM keys WHERE key_id = :key_id

-- name: ceremony_forget_key
UPDATE keys SET handle = NULL WHERE key_id = :key_id

-- name: ceremony_ends
SELECT min(not_after_at) AS ends_at FROM objects WHERE ca_id = :ca_id AND withdrawing = 0 AND withdrawn_serial IS NULL

-- name: ceremony_waiting_keys
-- Keys right below the trust anchor that no ceremony has known.
SELECT count(*) AS n FROM keys k JOIN cas c ON c.ca_id = k.ca_id
WHERE c.parent_id = :ca_id AND c.state <> 'deleted' AND k.state = 'staged' AND k.created_at > :requested_at
