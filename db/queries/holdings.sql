-- name: holdings_insert
INSERT INTO holdings (family, min, max, ca_id) VALUES (:family, :min, :max, :ca_id)

-- name: holdings_delete_all
DELETE FROM holdings WHERE ca_id = :ca_id

-- name: holdings_overlap
-- Holdings are disjoint, so that of those which start before :min only the last one can reach into the range.
SELECT h.min AS min, h.max AS max, c.handle AS handle
FROM holdings h
JOIN cas c ON c.ca_id = h.ca_id
WHERE h.family = :family
	AND h.min >= COALESCE((SELECT f.min FROM holdings f WHERE f.family = :family AND f.min <= :min ORDER BY f.min DESC LIMIT 1), :min)
	AND h.min <= :max AND h.max >= :min AND h.ca_id <> :ca_id
ORDER BY h.min
LIMIT 1

-- name: holdings_holder
-- Whose range holds all of :min to :max. A member's adjacent ranges are one, so that one range does or none.
SELECT ca_id
FROM (SELECT ca_id, max AS last FROM holdings WHERE family = :family AND min <= :min ORDER BY min DESC LIMIT 1)
WHERE last >= :max
