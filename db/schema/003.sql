-- Schema version 3: a whole registry on one machine.

-- What a serial has is counted by its cut: nobody counts all that is published to tell how much it is.
ALTER TABLE cuts ADD COLUMN objects INTEGER;      -- in the state of this serial; NULL: an older one, made before they were counted
ALTER TABLE cuts ADD COLUMN objects_size INTEGER; -- their bytes
UPDATE cuts SET
	objects = (SELECT count(*) FROM objects o
		WHERE o.repository_id = cuts.repository_id AND o.published_serial <= cuts.serial
			AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > cuts.serial)),
	objects_size = (SELECT COALESCE(sum(o.size), 0) FROM objects o
		WHERE o.repository_id = cuts.repository_id AND o.published_serial <= cuts.serial
			AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > cuts.serial))
WHERE EXISTS (SELECT 1 FROM repositories r
	WHERE r.repository_id = cuts.repository_id AND cuts.serial IN (r.serial, r.notified_serial));

-- How much waits is asked for often, and most of all while an import of a whole registry waits: from this index alone, without the rows.
-- In this order, so that nothing that wants them in another is tempted by it.
CREATE INDEX cas_queue ON cas (changed_at, held_at, set_aside_at) WHERE changed_at IS NOT NULL;

-- Several repositories: all have one rsync tree, which is of a serial of each of them. Without a row, or serial 0: nothing of it yet.
CREATE TABLE rsync_tree_parts (
	tree_id INTEGER NOT NULL REFERENCES rsync_trees (tree_id) ON DELETE CASCADE,
	repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
	serial INTEGER NOT NULL,                    -- complete as of this serial
	target_serial INTEGER,                      -- being brought to this one, if not NULL
	PRIMARY KEY (tree_id, repository_id)
) STRICT, WITHOUT ROWID;
INSERT INTO rsync_tree_parts (tree_id, repository_id, serial, target_serial) SELECT tree_id, repository_id, serial, target_serial FROM rsync_trees;
ALTER TABLE rsync_trees DROP COLUMN repository_id;
ALTER TABLE rsync_trees DROP COLUMN serial;
ALTER TABLE rsync_trees DROP COLUMN target_serial;
