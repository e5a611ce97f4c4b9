-- name: roas_insert
INSERT INTO roas (ca_id, asn, family, address, prefix_length, max_length, comment, created_at)
VALUES (:ca_id, :asn, :family, :address, :prefix_length, :max_length, :comment, :now_at)
ON CONFLICT DO NOTHING

-- name: roas_delete
DELETE FROM roas
WHERE ca_id = :ca_id AND asn = :asn AND family = :family AND address = :address AND prefix_length = :prefix_length
	AND max_length = :max_length

-- name: roas_set_comment
UPDATE roas SET comment = :comment
WHERE ca_id = :ca_id AND asn = :asn AND family = :family AND address = :address AND prefix_length = :prefix_length
	AND max_length = :max_length AND comment IS DISTINCT FROM :comment

-- name: roas_delete_all
DELETE FROM roas WHERE ca_id = :ca_id

-- name: roas_list
-- In the order of the primary key, which is that of payload_compare(). Published: in the notification that is on disk.
SELECT r.asn, r.family, r.address, r.prefix_length, r.max_length, r.comment, r.created_at,
	EXISTS (SELECT 1 FROM roa_payloads p
		JOIN objects o ON o.object_id = p.object_id
		WHERE p.ca_id = r.ca_id AND p.asn = r.asn AND p.family = r.family AND p.address = r.address
			AND p.prefix_length = r.prefix_length AND p.max_length = r.max_length
			AND o.published_serial <= :notified_serial
			AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > :notified_serial)) AS published
FROM roas r
WHERE r.ca_id = :ca_id
ORDER BY r.asn, r.family, r.address, r.prefix_length, r.max_length

-- name: roas_intents
-- The same without looking where each stands: for those who go through what a member wants.
SELECT asn, family, address, prefix_length, max_length, comment, created_at, 0 AS published
FROM roas
WHERE ca_id = :ca_id
ORDER BY asn, family, address, prefix_length, max_length
