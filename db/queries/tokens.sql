-- name: tokens_insert
INSERT INTO tokens (token_id, name, role, ca_id, hash, created_at, expires_at)
VALUES (:token_id, :name, :role, :ca_id, :hash, :created_at, :expires_at)

-- name: tokens_get
SELECT token_id, name, role, ca_id, hash, created_at, expires_at, revoked_at FROM tokens WHERE token_id = :token_id

-- name: tokens_count
-- Those that can still be used; :ca_id NULL: of no CA.
SELECT count(*) AS tokens FROM tokens
WHERE ca_id IS NOT DISTINCT FROM :ca_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now_at)

-- name: tokens_other_admins
-- With which somebody could still administer the server.
SELECT count(*) AS tokens FROM tokens
WHERE ca_id IS NULL AND role = 'admin' AND token_id <> :token_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now_at)

-- name: tokens_list
SELECT t.token_id, t.name, t.role, t.created_at, t.expires_at, t.revoked_at, c.handle AS ca_handle
FROM tokens t
LEFT JOIN cas c ON c.ca_id = t.ca_id
WHERE t.ca_id IS NOT DISTINCT FROM :ca_id
ORDER BY t.created_at, t.token_id

-- name: tokens_revoke
UPDATE tokens SET revoked_at = :now_at WHERE token_id = :token_id AND revoked_at IS NULL

-- name: tokens_revoke_all
UPDATE tokens SET revoked_at = :now_at WHERE ca_id = :ca_id AND revoked_at IS NULL
