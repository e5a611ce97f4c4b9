-- name: audit_insert
INSERT INTO audit (at, actor, token_id, action, ca_id, ca_handle, outcome, detail, request_id)
VALUES (:at, :actor, :token_id, :action, :ca_id, :ca_handle, :outcome, :detail, :request_id)

-- name: audit_list
SELECT audit_id, at, actor, token_id, action,
	COALESCE(ca_handle, (SELECT c.handle FROM cas c WHERE c.ca_id = audit.ca_id)) AS ca_handle, outcome, detail, request_id
FROM audit
WHERE audit_id < :before
ORDER BY audit_id DESC
LIMIT :limit

-- name: audit_list_ca
SELECT audit_id, at, actor, token_id, action,
	COALESCE(ca_handle, (SELECT c.handle FROM cas c WHERE c.ca_id = audit.ca_id)) AS ca_handle, outcome, detail, request_id
FROM audit
WHERE ca_id = :ca_id AND audit_id < :before
ORDER BY audit_id DESC
LIMIT :limit
