-- name: transfers_insert
INSERT INTO transfers (state, from_ca_id, to_ca_id, resources, roas, straddling, roas_within, roas_straddling, roas_added, actor, created_at)
VALUES (:state, :from_ca_id, :to_ca_id, :resources, :roas, :straddling, :roas_within, :roas_straddling, :roas_added, :actor, :now_at)
RETURNING transfer_id

-- name: transfers_get
-- The repository is that of the side which publishes something new; a cut is of all repositories.
SELECT t.transfer_id, t.state, t.from_ca_id, t.to_ca_id, t.resources, t.roas, t.straddling, t.roas_within, t.roas_straddling,
	t.roas_added, t.actor, t.created_at, t.confirmed_at, t.serial, f.handle AS from_handle, o.handle AS to_handle,
	t.serial <= r.notified_serial AS published, k.notified_at
FROM transfers t
JOIN cas c ON c.ca_id = COALESCE(t.to_ca_id, t.from_ca_id)
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas f ON f.ca_id = t.from_ca_id
LEFT JOIN cas o ON o.ca_id = t.to_ca_id
LEFT JOIN cuts k ON k.repository_id = r.repository_id AND k.serial = t.serial
WHERE t.transfer_id = :transfer_id

-- name: transfers_list
-- Newest first.
SELECT t.transfer_id, t.state, t.from_ca_id, t.to_ca_id, t.resources, t.roas, t.straddling, t.roas_within, t.roas_straddling,
	t.roas_added, t.actor, t.created_at, t.confirmed_at, t.serial, f.handle AS from_handle, o.handle AS to_handle,
	t.serial <= r.notified_serial AS published, k.notified_at
FROM transfers t
JOIN cas c ON c.ca_id = COALESCE(t.to_ca_id, t.from_ca_id)
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas f ON f.ca_id = t.from_ca_id
LEFT JOIN cas o ON o.ca_id = t.to_ca_id
LEFT JOIN cuts k ON k.repository_id = r.repository_id AND k.serial = t.serial
WHERE t.transfer_id < :before
ORDER BY t.transfer_id DESC
LIMIT :limit

-- name: transfers_list_of
-- Those of one CA, on either side. A CA's transfers are few, so they may be sorted.
SELECT t.transfer_id, t.state, t.from_ca_id, t.to_ca_id, t.resources, t.roas, t.straddling, t.roas_within, t.roas_straddling,
	t.roas_added, t.actor, t.created_at, t.confirmed_at, t.serial, f.handle AS from_handle, o.handle AS to_handle,
	t.serial <= r.notified_serial AS published, k.notified_at
FROM transfers t
JOIN cas c ON c.ca_id = COALESCE(t.to_ca_id, t.from_ca_id)
JOIN repositories r ON r.repository_id = c.repository_id
LEFT JOIN cas f ON f.ca_id = t.from_ca_id
LEFT JOIN cas o ON o.ca_id = t.to_ca_id
LEFT JOIN cuts k ON k.repository_id = r.repository_id AND k.serial = t.serial
WHERE (t.from_ca_id = :ca_id OR t.to_ca_id = :ca_id) AND t.transfer_id < :before
ORDER BY t.transfer_id DESC
LIMIT :limit

-- name: transfers_prepared
-- scan: the partial index holds only those that wait for somebody to complete them, of which a command bounds the number
SELECT transfer_id, resources FROM transfers WHERE state = 'prepared' ORDER BY transfer_id

-- name: transfers_since
-- scan: all that were ever made, some thousands, and only where a feed is planned
-- Without a date: since the last feed.
SELECT transfer_id, resources FROM transfers
WHERE state = 'issuing'
	AND COALESCE(confirmed_at, created_at) >= COALESCE(:dated_at, (SELECT applied_at FROM registry_feeds ORDER BY feed_id DESC LIMIT 1), 0)
ORDER BY transfer_id

-- name: transfers_complete
UPDATE transfers SET state = 'issuing', straddling = :straddling, roas_within = :roas_within, roas_straddling = :roas_straddling,
	confirmed_at = :now_at
WHERE transfer_id = :transfer_id AND state = 'prepared'

-- name: transfers_cancel
UPDATE transfers SET state = 'cancelled', confirmed_at = :now_at WHERE transfer_id = :transfer_id AND state = 'prepared'
