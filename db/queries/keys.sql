-- name: keys_list
SELECT key_id, state, key_identifier, handle IS NULL AS offline, created_at, published_at, retired_at, manifest_number, crl_number
FROM keys WHERE ca_id = :ca_id AND (state <> 'destroyed' OR :destroyed)
ORDER BY key_id DESC
LIMIT :limit

-- name: keys_rolling
SELECT roll_at, (SELECT count(*) FROM keys k WHERE k.ca_id = c.ca_id AND k.state IN ('staged', 'retired')) AS others
FROM cas c WHERE c.ca_id = :ca_id

-- name: keys_roll
UPDATE cas SET roll_at = :now_at, roll_staging_s = :staging_s, version = version + 1, changed_at = COALESCE(changed_at, :now_at)
WHERE ca_id = :ca_id

-- name: keys_roll_all
-- The oldest first, so many an hour: each gets its time, and is due then as any renewal is. What rolls or is about to is left alone.
UPDATE cas SET roll_at = r.roll_at, roll_staging_s = :staging_s, version = version + 1,
	renew_at = CASE WHEN renew_at < r.roll_at THEN renew_at ELSE r.roll_at END
FROM (SELECT k.ca_id, :now_at + (row_number() OVER (ORDER BY k.created_at, k.ca_id) - 1) * 3600 / :per_hour AS roll_at
	FROM keys k JOIN cas c ON c.ca_id = k.ca_id
	WHERE k.state = 'current' AND k.created_at <= :made_by_at AND c.kind <> 'ta' AND c.state = 'active' AND c.roll_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM keys o WHERE o.ca_id = k.ca_id AND o.state IN ('staged', 'retired'))) AS r
WHERE cas.ca_id = r.ca_id
