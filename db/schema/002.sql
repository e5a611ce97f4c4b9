-- Schema version 2: a CA that never lapses. Holds and suspensions, key rolls, changes that belong together, registry feeds.

ALTER TABLE cas ADD COLUMN held_at INTEGER;      -- since when its changes are queued, not issued; renewals go on
ALTER TABLE cas ADD COLUMN suspended_at INTEGER; -- since when everything of it is withdrawn; intent and keys stay
ALTER TABLE cas ADD COLUMN alias TEXT;           -- what a registry feed calls the holder: for matching where resources don't tell
ALTER TABLE cas ADD COLUMN roll_at INTEGER;      -- from when on a new key is wanted; NULL: none is, or it is staged already
ALTER TABLE cas ADD COLUMN roll_staging_s INTEGER; -- how long that one is to be staged; NULL: as the settings say
ALTER TABLE cas ADD COLUMN change_group INTEGER; -- CAs whose waiting changes belong in one serial (a transfer)
ALTER TABLE cas ADD COLUMN change_last INTEGER NOT NULL DEFAULT 0; -- 1: it gives up what others of the group gain, so after them
CREATE INDEX cas_alias ON cas (alias) WHERE alias IS NOT NULL AND state <> 'deleted';
CREATE INDEX cas_group ON cas (change_group) WHERE change_group IS NOT NULL;
CREATE INDEX cas_held ON cas (ca_id) WHERE held_at IS NOT NULL;
CREATE INDEX cas_suspended ON cas (ca_id) WHERE suspended_at IS NOT NULL;

-- RFC 6489: a staged key is published with an empty manifest, becomes current, the one before is retired and drained.
ALTER TABLE keys ADD COLUMN published_at INTEGER; -- when its first manifest went into a cut
ALTER TABLE keys ADD COLUMN retired_at INTEGER;   -- when another key took its place
CREATE UNIQUE INDEX keys_current ON keys (ca_id) WHERE state = 'current';
CREATE INDEX keys_age ON keys (created_at) WHERE state = 'current';
ALTER TABLE keys ADD COLUMN staging_s INTEGER;    -- of this staged key; NULL: as the settings say
CREATE INDEX objects_begin ON objects (not_before_at) WHERE withdrawing = 0 AND withdrawn_serial IS NULL;
UPDATE keys SET published_at = this_update_at WHERE manifest_number > 0;

-- Health: what expires first of a kind; CAs set aside, for the list of them.
CREATE INDEX objects_expiry ON objects (kind, not_after_at) WHERE published_serial IS NOT NULL AND withdrawn_serial IS NULL;
CREATE INDEX cas_set_aside_handle ON cas (handle) WHERE set_aside_at IS NOT NULL;

-- Transfers of resources between members, out of the registry and into it. One is done once its serial is notified.
CREATE TABLE transfers (
	transfer_id INTEGER PRIMARY KEY AUTOINCREMENT,
	state TEXT NOT NULL CHECK (state IN ('prepared', 'issuing', 'cancelled')),
	from_ca_id INTEGER REFERENCES cas (ca_id),  -- NULL: they come from another registry
	to_ca_id INTEGER REFERENCES cas (ca_id),    -- NULL: they leave for another registry
	resources BLOB NOT NULL,                    -- as cas.resources
	roas TEXT NOT NULL CHECK (roas IN ('move', 'leave')),
	straddling TEXT NOT NULL CHECK (straddling IN ('refuse', 'keep', 'replace')),
	roas_within INTEGER NOT NULL,               -- ROAs of the giver wholly in these resources …
	roas_straddling INTEGER NOT NULL,           -- … and partly; both as of the last change of state
	roas_added INTEGER NOT NULL,                -- that were made with it
	actor TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	confirmed_at INTEGER,                       -- prepared before: when it was completed or cancelled
	serial INTEGER,                             -- of the cut that carries it
	CHECK (from_ca_id IS NOT NULL OR to_ca_id IS NOT NULL)
) STRICT;
CREATE INDEX transfers_from ON transfers (from_ca_id, transfer_id) WHERE from_ca_id IS NOT NULL;
CREATE INDEX transfers_to ON transfers (to_ca_id, transfer_id) WHERE to_ca_id IS NOT NULL;
CREATE INDEX transfers_prepared ON transfers (transfer_id) WHERE state = 'prepared';
CREATE INDEX transfers_issuing ON transfers (transfer_id) WHERE state = 'issuing' AND serial IS NULL;

-- A trust anchor on a machine of its own: the key that signs requests to it, and each request with what became of it.
CREATE TABLE ta_request_key (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	handle BLOB NOT NULL,
	spki BLOB NOT NULL
) STRICT;
CREATE TABLE ta_ceremonies (
	number INTEGER PRIMARY KEY,
	state TEXT NOT NULL CHECK (state IN ('pending', 'superseded', 'installed')),
	request BLOB NOT NULL,                      -- the file
	requested_at INTEGER NOT NULL,
	installed_at INTEGER,
	due_at INTEGER                              -- when the ceremony after it is due; NULL: not installed
) STRICT;
CREATE UNIQUE INDEX ta_ceremonies_pending ON ta_ceremonies (state) WHERE state = 'pending';
CREATE INDEX ta_ceremonies_installed ON ta_ceremonies (number) WHERE state = 'installed';

-- The guard of the publication: how much is out, so that a cut is held against it at the cost of the change; what was refused.
ALTER TABLE repositories ADD COLUMN payloads INTEGER NOT NULL DEFAULT 0; -- of the ROAs in the last cut
ALTER TABLE repositories ADD COLUMN cas INTEGER NOT NULL DEFAULT 0; -- CAs with a certificate in the last cut
ALTER TABLE repositories ADD COLUMN payloads_before INTEGER NOT NULL DEFAULT 0; -- the same an hour ago, or less,
ALTER TABLE repositories ADD COLUMN cas_before INTEGER NOT NULL DEFAULT 0;      -- so that a loss in many small cuts is noticed too
ALTER TABLE repositories ADD COLUMN before_at INTEGER NOT NULL DEFAULT 0;       -- when that was
UPDATE repositories SET
	payloads = (SELECT count(*) FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id
		WHERE o.repository_id = repositories.repository_id AND o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL),
	cas = (SELECT count(DISTINCT o.subject_ca_id) FROM objects o
		WHERE o.repository_id = repositories.repository_id AND o.kind = 'cer' AND o.published_serial IS NOT NULL
			AND o.withdrawn_serial IS NULL);
CREATE TABLE guard_refusals (
	repository_id INTEGER PRIMARY KEY REFERENCES repositories (repository_id),
	code TEXT NOT NULL,                         -- names exactly what would be lost
	refused_at INTEGER NOT NULL,
	payloads INTEGER NOT NULL,                  -- that are out
	payloads_lost INTEGER NOT NULL,
	cas INTEGER NOT NULL,
	cas_lost INTEGER NOT NULL,
	accepted_at INTEGER                         -- when an operator allowed this very change; the cut takes the row away
) STRICT;

-- Epoch 0: not recorded beside the database yet. A database from before that was done gets its file at the next start.
UPDATE instance SET epoch = 0;

-- A certificate that was issued before its issuer's own named the trust anchor's as caIssuers. Made anew at the next start, like all that was
-- valid at no time; when it ends stays known, for the CRL.
UPDATE objects SET not_before_at = not_after_at
WHERE kind = 'cer' AND withdrawing = 0 AND withdrawn_serial IS NULL
	AND ca_id NOT IN (SELECT ca_id FROM cas WHERE kind = 'ta')
	AND (SELECT instr(der, CAST((SELECT rsync_uri FROM repositories r WHERE r.repository_id = objects.repository_id) || 'ta/ta.cer' AS BLOB))
		FROM object_bytes b WHERE b.object_id = objects.object_id) > 0;

-- Registry feeds that were applied, each in one transaction together with its row.
CREATE TABLE registry_feeds (
	feed_id INTEGER PRIMARY KEY AUTOINCREMENT,
	applied_at INTEGER NOT NULL,
	actor TEXT NOT NULL,
	registry TEXT,                              -- whose file it was: the next one must be of the same; NULL: it didn't say
	holders INTEGER NOT NULL,                   -- in the file
	members_new INTEGER NOT NULL,
	members_changed INTEGER NOT NULL,           -- which hold something else than before; those gone are among them
	members_gone INTEGER NOT NULL,
	roas_lost INTEGER NOT NULL,
	code TEXT NOT NULL,                         -- of the change
	accepted INTEGER NOT NULL                   -- 1: beyond the limits, and an operator gave the code
) STRICT;
CREATE INDEX registry_feeds_registry ON registry_feeds (feed_id) WHERE registry IS NOT NULL;
