-- The guard of the publication: what a cut would take away, by the lists of what is staged and of what leaves: at the cost of the change.

-- Losses are held against the whole registry, whichever repository they are in: what moves from one to the other is none.

-- name: guard_totals
-- scan: the repositories are one, or a few
-- What was out at the window's begin stands with the first repository, for all.
SELECT (SELECT sum(payloads) FROM repositories) AS payloads, (SELECT sum(cas) FROM repositories) AS cas, repository_id, payloads_before,
	cas_before, before_at
FROM repositories ORDER BY repository_id LIMIT 1

-- name: guard_change_all
-- scan: the partial index holds only CAs that were set aside; here and below
-- Payloads that come and go with the next cut, those of a ROA that is made anew among both. Certificates of a CA that is set aside
-- neither come nor go (cut.sql): they would be counted again with each cut. All certificates of a CA stand at the same one above it.
SELECT (SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id > 0 AND o.published_serial IS NULL) AS payloads_in,
	(SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id > 0 AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL) AS payloads_out,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id > 0 AND o.published_serial IS NULL AND o.kind = 'cer'
			AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.published_serial IS NOT NULL)) AS cas_in,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id > 0 AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.kind = 'cer'
			AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.withdrawing = 0)) AS cas_out

-- name: guard_change
-- scan: as above
-- The same of one repository.
SELECT (SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.object_id > 0) AS payloads_in,
	(SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0)
		AS payloads_out,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = :repository_id AND o.published_serial IS NULL AND o.object_id > 0 AND o.kind = 'cer'
			AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.published_serial IS NOT NULL)) AS cas_in,
	(SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = :repository_id AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.object_id > 0
			AND o.kind = 'cer'
			AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')
			AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
				AND n.withdrawing = 0)) AS cas_out

-- name: guard_payloads_lost
-- One that another object brings back, at the same CA or at another, isn't lost.
SELECT p.asn, p.family, p.address, p.prefix_length, p.max_length FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
WHERE o.repository_id > 0 AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL
EXCEPT
SELECT p.asn, p.family, p.address, p.prefix_length, p.max_length FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
WHERE o.repository_id > 0 AND o.published_serial IS NULL
ORDER BY 1, 2, 3, 4, 5

-- name: guard_cas_lost
-- scan: as above
SELECT DISTINCT o.subject_ca_id FROM objects o
WHERE o.repository_id > 0 AND o.withdrawing = 1 AND o.withdrawn_serial IS NULL AND o.kind = 'cer'
	AND o.ca_id NOT IN (SELECT ca_id FROM cas WHERE set_aside_at IS NOT NULL AND kind <> 'member')
	AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.subject_ca_id = o.subject_ca_id AND n.withdrawn_serial IS NULL
		AND n.withdrawing = 0)
ORDER BY o.subject_ca_id

-- name: guard_count
UPDATE repositories SET payloads = payloads + :payloads_more, cas = cas + :cas_more WHERE repository_id = :repository_id

-- name: guard_before
UPDATE repositories SET payloads_before = :payloads_before, cas_before = :cas_before, before_at = :before_at
WHERE repository_id = :repository_id

-- name: guard_refusal
-- scan: one row at most
SELECT code, refused_at, payloads, payloads_lost, cas, cas_lost, accepted_at FROM guard_refusals
LIMIT 1

-- name: guard_refuse
INSERT INTO guard_refusals (repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost)
VALUES (:repository_id, :code, :now_at, :payloads, :payloads_lost, :cas, :cas_lost)
ON CONFLICT (repository_id) DO UPDATE SET code = excluded.code, refused_at = excluded.refused_at, payloads = excluded.payloads,
	payloads_lost = excluded.payloads_lost, cas = excluded.cas, cas_lost = excluded.cas_lost, accepted_at = NULL

-- name: guard_forget
-- scan: one row at most
DELETE FROM guard_refusals

-- name: guard_refusals
-- scan: one row at most
SELECT repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost, accepted_at FROM guard_refusals
ORDER BY repository_id LIMIT 1

-- name: guard_accept
-- scan: one row at most
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
