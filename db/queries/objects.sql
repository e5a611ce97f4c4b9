-- name: objects_insert
INSERT INTO objects (repository_id, ca_id, key_id, kind, subject_ca_id, asn, slot, resources, path, serial, hash, size, not_before_at,
	not_after_at, modified_at)
VALUES (:repository_id, :ca_id, :key_id, :kind, :subject_ca_id, :asn, :slot, :resources, :path, :serial, :hash, :size, :not_before_at,
	:not_after_at, :modified_at)

-- name: objects_insert_bytes
INSERT INTO object_bytes (object_id, der) VALUES (:object_id, :der)

-- name: objects_drop_staged
DELETE FROM objects WHERE object_id = :object_id AND published_serial IS NULL

-- name: objects_withdraw
UPDATE objects SET withdrawing = 1, revoked_at = CASE WHEN serial IS NULL THEN NULL ELSE :now_at END
WHERE object_id = :object_id AND withdrawing = 0
