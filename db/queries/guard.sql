-- The guard of the publication: what a cut would take away, by the lists of what is staged and of what leaves: at the cost of the change.

-- name: guard_repository
SELECT payloads, cas, payloads_before, cas_before, before_at FROM repositories WHERE repository_id = :repository_id

-- name: guard_change
-- Payloads that come and go with the next cut, those of a ROA that is made anew among both.
SELECT (SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.object_id > 0) AS payloads_in,
	(SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0)
		AS payloads_out,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.object_id > 0 AND o.kind = 'cer'
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.published_serial IS NOT NULL)) AS cas_in,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0
			AND o.kind = 'cer'
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.withdrawing = 0)) AS cas_out

-- name: guard_payloads_lost
-- One that another object brings back, at the same CA or at another, isn't lost.
SELECT p.asn, p.family, p.address, p.prefix_length, p.max_length FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0
EXCEPT
SELECT p.asn, p.family, p.address, p.prefix_length, p.max_length FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.object_id > 0
ORDER BY 1, 2, 3, 4, 5

-- name: guard_cas_lost
SELECT DISTINCT o.subject_ca_id FROM objects o
WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0 AND o.kind = 'cer'
	AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
		AND n.withdrawing = 0)
ORDER BY o.subject_ca_id

-- name: guard_count
UPDATE repositories SET payloads = :payloads, cas = :cas, payloads_before = :payloads_before, cas_before = :cas_before,
	before_at = :before_at
WHERE repository_id = :repository_id

-- name: guard_refusal
SELECT code, refused_at, payloads, payloads_lost, cas, cas_lost, accepted_at FROM guard_refusals
WHERE repository_id = :repository_id

-- name: guard_refuse
INSERT INTO guard_refusals (repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost)
VALUES (:repository_id, :code, :now_at, :payloads, :payloads_lost, :cas, :cas_lost)
ON CONFLICT (repository_id) DO UPDATE SET code = excluded.code, refused_at = excluded.refused_at, payloads = excluded.payloads,
	payloads_lost = excluded.payloads_lost, cas = excluded.cas, cas_lost = excluded.cas_lost, accepted_at = NULL

-- name: guard_forget
DELETE FROM guard_refusals WHERE repository_id = :repository_id

-- name: guard_refusals
-- scan: a row at most for each repository
SELECT repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost, accepted_at FROM guard_refusals
ORDER BY repository_id LIMIT 1

-- name: guard_accept
-- scan: a row at most for each repository
UPDATE guard_refusals SET accepted_at = :now_at WHERE code = :code

-- name: guard_rows
-- What the last cuts counted, and how many rows there are: those are counted in indexes alone, as a start waits for it. Rows that wait
-- for their cut may be among them.
-- scan: the repositories are one, or a few
SELECT (SELECT COALESCE(sum(payloads), 0) FROM repositories) AS payloads_counted,
	(SELECT COALESCE(sum(cas), 0) FROM repositories) AS cas_counted,
	(SELECT COALESCE(sum(c.objects), 0) FROM repositories r JOIN cuts c ON c.repository_id = r.repository_id AND c.serial = r.serial)
		AS objects_counted,
	(SELECT count(*) FROM roa_payloads WHERE object_id > 0) AS payloads,
	(SELECT count(*) FROM objects WHERE kind = 'cer' AND published_serial IS NOT NULL AND withdrawn_serial IS NULL) AS cas,
	(SELECT COALESCE(sum((SELECT count(*) FROM objects o WHERE o.repository_id = r.repository_id AND o.object_id > 0
			AND o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL)), 0) FROM repositories r) AS objects
