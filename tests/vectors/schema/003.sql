-- Schema version 1. Times are UTC seconds; paths are relative to the repository's rsync URI; addresses are 4 or 16 octets.

-- One row: which instance this is. `epoch` also stands in a file beside the database, so that an older copy is noticed.
CREATE TABLE instance (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	uuid TEXT NOT NULL,
	master_key_fingerprint BLOB NOT NULL,
	epoch INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

-- A publication point of all its CAs: one RRDP session and one rsync module.
CREATE TABLE repositories (
	repository_id INTEGER PRIMARY KEY,
	rrdp_uri TEXT NOT NULL,                     -- ends with '/'
	rsync_uri TEXT NOT NULL,                    -- ends with '/'
	session TEXT NOT NULL,
	serial INTEGER NOT NULL DEFAULT 0,          -- of the last cut
	notified_serial INTEGER NOT NULL DEFAULT 0, -- of the notification on disk
	rsync_serial INTEGER NOT NULL DEFAULT 0,    -- of the rsync tree that is served
	cut_at INTEGER NOT NULL DEFAULT 0,          -- of the last cut: rises by a second at least
	notified_at INTEGER NOT NULL DEFAULT 0,
	rsync_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE cas (
	ca_id INTEGER PRIMARY KEY AUTOINCREMENT,
	handle TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('ta', 'online', 'issuing', 'member')),
	parent_id INTEGER REFERENCES cas (ca_id),   -- NULL for the TA
	repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
	directory TEXT NOT NULL UNIQUE,             -- its caRepository, ends with '/'
	resources BLOB,                             -- resource_set_encode(); NULL: inherits its parent's
	state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleting', 'deleted')),
	version INTEGER NOT NULL DEFAULT 1,         -- rises with whatever changes what the CA should have
	roas_version INTEGER NOT NULL DEFAULT 0,    -- rises with each change of its ROAs: the ETag
	roas_count INTEGER NOT NULL DEFAULT 0,
	by_origin INTEGER NOT NULL DEFAULT 0,       -- 1: one ROA object per origin AS, not per payload
	changed_at INTEGER,                         -- since when a change waits to be reconciled
	renew_at INTEGER,                           -- when the first of its objects is to be made anew
	set_aside_reason TEXT,                      -- why nothing is issued for it, until an operator repairs it
	set_aside_at INTEGER,
	import_id TEXT,                             -- the import that changed it last, if no member did since: such wait longer
	created_at INTEGER NOT NULL,
	deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX cas_handle ON cas (handle) WHERE state <> 'deleted';
CREATE INDEX cas_changed ON cas (kind, (import_id IS NOT NULL), changed_at) WHERE changed_at IS NOT NULL AND set_aside_at IS NULL;
CREATE INDEX cas_renew ON cas (renew_at) WHERE renew_at IS NOT NULL AND set_aside_at IS NULL;
CREATE INDEX cas_set_aside ON cas (ca_id) WHERE set_aside_at IS NOT NULL;
CREATE INDEX cas_deleting ON cas (ca_id) WHERE state = 'deleting';
CREATE INDEX cas_parent ON cas (parent_id) WHERE parent_id IS NOT NULL AND state <> 'deleted';
CREATE INDEX cas_import ON cas (import_id) WHERE import_id IS NOT NULL AND changed_at IS NOT NULL;
CREATE INDEX cas_issuing ON cas (ca_id) WHERE kind = 'issuing';

-- Who holds what: each range of each member, disjoint over all members.
CREATE TABLE holdings (
	family INTEGER NOT NULL CHECK (family IN (0, 4, 6)), -- 0: AS numbers, as 4 octets
	min BLOB NOT NULL,
	max BLOB NOT NULL,
	ca_id INTEGER NOT NULL REFERENCES cas (ca_id),
	PRIMARY KEY (family, min)
) STRICT, WITHOUT ROWID;
CREATE INDEX holdings_ca ON holdings (ca_id);

CREATE TABLE keys (
	key_id INTEGER PRIMARY KEY AUTOINCREMENT,
	ca_id INTEGER NOT NULL REFERENCES cas (ca_id),
	state TEXT NOT NULL DEFAULT 'current' CHECK (state IN ('staged', 'current', 'retired', 'destroyed')),
	handle BLOB,                                -- what the signer knows it by; NULL once destroyed
	spki BLOB NOT NULL,
	key_identifier BLOB NOT NULL UNIQUE,
	crl_number INTEGER NOT NULL DEFAULT 0,      -- last ones that went into a cut
	manifest_number INTEGER NOT NULL DEFAULT 0,
	this_update_at INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_ca ON keys (ca_id);

-- Everything ever signed for publication. published_serial NULL: staged, in no cut yet. Live: in a cut and not withdrawn.
CREATE TABLE objects (
	object_id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
	ca_id INTEGER NOT NULL REFERENCES cas (ca_id),   -- at whose publication point it stands
	key_id INTEGER NOT NULL REFERENCES keys (key_id), -- the key that issued it
	kind TEXT NOT NULL CHECK (kind IN ('ta', 'cer', 'crl', 'mft', 'roa')),
	subject_ca_id INTEGER REFERENCES cas (ca_id),    -- cer: whose certificate
	asn INTEGER,                                -- roa: its origin
	slot INTEGER,                               -- roa: stays the same when the object is made anew
	resources BLOB,                             -- ta, cer: what it certifies, as cas.resources; NULL: it inherits
	path TEXT NOT NULL,
	serial BLOB,                                -- of the certificate or EE certificate; NULL for a CRL
	hash BLOB NOT NULL,
	size INTEGER NOT NULL,
	not_before_at INTEGER NOT NULL,             -- CRL: thisUpdate, nextUpdate
	not_after_at INTEGER NOT NULL,
	modified_at INTEGER NOT NULL,               -- the time of its file in the rsync tree
	published_serial INTEGER,
	withdrawing INTEGER NOT NULL DEFAULT 0,     -- 1: leaves with the next cut
	revoked_at INTEGER,                         -- when it was replaced or withdrawn, if it had been published
	withdrawn_serial INTEGER
) STRICT;
CREATE UNIQUE INDEX objects_path ON objects (repository_id, path) WHERE withdrawing = 0 AND withdrawn_serial IS NULL;
CREATE INDEX objects_ca ON objects (ca_id, kind) WHERE withdrawing = 0 AND withdrawn_serial IS NULL;
CREATE INDEX objects_subject ON objects (subject_ca_id) WHERE subject_ca_id IS NOT NULL AND withdrawn_serial IS NULL;
CREATE INDEX objects_live ON objects (repository_id, object_id) WHERE published_serial IS NOT NULL AND withdrawn_serial IS NULL;
CREATE INDEX objects_staged ON objects (repository_id, object_id) WHERE published_serial IS NULL;
CREATE INDEX objects_withdrawing ON objects (repository_id, object_id) WHERE withdrawing = 1 AND withdrawn_serial IS NULL;
CREATE INDEX objects_published ON objects (repository_id, published_serial) WHERE published_serial IS NOT NULL;
CREATE INDEX objects_withdrawn ON objects (repository_id, withdrawn_serial) WHERE withdrawn_serial IS NOT NULL;
CREATE INDEX objects_revoked ON objects (key_id, not_after_at) WHERE revoked_at IS NOT NULL AND serial IS NOT NULL;

-- Their bytes, apart so that lists of objects stay small to read. A row goes when no kept file names it any more.
CREATE TABLE object_bytes (
	object_id INTEGER PRIMARY KEY REFERENCES objects (object_id) ON DELETE CASCADE,
	der BLOB NOT NULL
) STRICT;

-- Intent: what members asked to be authorised.
CREATE TABLE roas (
	ca_id INTEGER NOT NULL REFERENCES cas (ca_id),
	asn INTEGER NOT NULL,
	family INTEGER NOT NULL CHECK (family IN (4, 6)),
	address BLOB NOT NULL,
	prefix_length INTEGER NOT NULL,
	max_length INTEGER NOT NULL,
	comment TEXT,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (ca_id, asn, family, address, prefix_length, max_length)
) STRICT, WITHOUT ROWID;

-- Fact: what each ROA that is staged or published says.
CREATE TABLE roa_payloads (
	ca_id INTEGER NOT NULL,
	asn INTEGER NOT NULL,
	family INTEGER NOT NULL,
	address BLOB NOT NULL,
	prefix_length INTEGER NOT NULL,
	max_length INTEGER NOT NULL,
	object_id INTEGER NOT NULL REFERENCES objects (object_id) ON DELETE CASCADE,
	PRIMARY KEY (ca_id, asn, family, address, prefix_length, max_length, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX roa_payloads_object ON roa_payloads (object_id);

-- One row per serial of a repository; the RRDP files are a function of these rows and of the objects.
CREATE TABLE cuts (
	repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
	serial INTEGER NOT NULL,
	cut_at INTEGER NOT NULL,                    -- time of its files
	random TEXT NOT NULL,                       -- the part of its files' URIs that nobody guesses
	snapshot_hash BLOB,                         -- set once the file was written; NULL for a serial that was never notified, as well
	snapshot_size INTEGER,
	delta_hash BLOB,                            -- NULL for a first serial, and where nothing but the TA's certificate changed
	delta_size INTEGER,
	first_delta INTEGER,                        -- oldest serial whose delta its notification lists; NULL: none
	notified_at INTEGER,                        -- when its notification was put on disk; NULL: never
	snapshot_kept INTEGER NOT NULL DEFAULT 1,   -- 0: file removed after its time, or never needed
	delta_kept INTEGER NOT NULL DEFAULT 1,
	PRIMARY KEY (repository_id, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX cuts_snapshots ON cuts (repository_id, snapshot_kept, serial) WHERE snapshot_kept = 1;
CREATE INDEX cuts_deltas ON cuts (repository_id, delta_kept, serial) WHERE delta_kept = 1;

CREATE TABLE rsync_trees (
	tree_id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
	name TEXT NOT NULL,                         -- its directory under rsync/
	serial INTEGER NOT NULL,                    -- complete as of this serial
	target_serial INTEGER,                      -- being brought to this one, if not NULL
	retired_at INTEGER                          -- when it was last served; NULL: it is being served or new
) STRICT;

CREATE TABLE tokens (
	token_id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'member', 'member-read')),
	ca_id INTEGER REFERENCES cas (ca_id),
	hash BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER,
	revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_ca ON tokens (ca_id, token_id);

CREATE TABLE audit (
	audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	actor TEXT NOT NULL,                        -- the token's name, or 'cadastre' for the engine itself
	token_id TEXT,
	action TEXT NOT NULL,
	ca_id INTEGER,
	ca_handle TEXT,
	outcome TEXT NOT NULL,                      -- 'done', or the fault's type
	detail TEXT,
	request_id TEXT
) STRICT;
CREATE INDEX audit_ca ON audit (ca_id, audit_id);

CREATE TABLE imports (
	import_id TEXT PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('stats', 'roas', 'members')),
	state TEXT NOT NULL CHECK (state IN ('checking', 'applying', 'issuing', 'done', 'failed')),
	actor TEXT NOT NULL,
	started_at INTEGER NOT NULL,
	finished_at INTEGER,
	entries_total INTEGER NOT NULL DEFAULT 0,   -- members or payloads in the file
	entries_done INTEGER NOT NULL DEFAULT 0,
	members_created INTEGER NOT NULL DEFAULT 0,
	members_unchanged INTEGER NOT NULL DEFAULT 0,
	members_different INTEGER NOT NULL DEFAULT 0,
	roas_created INTEGER NOT NULL DEFAULT 0,
	roas_unchanged INTEGER NOT NULL DEFAULT 0,
	roas_not_held INTEGER NOT NULL DEFAULT 0,
	warnings INTEGER NOT NULL DEFAULT 0,
	cas_to_issue INTEGER NOT NULL DEFAULT 0,
	serial INTEGER,                             -- everything is out with this one
	error TEXT
) STRICT;
CREATE INDEX imports_open ON imports (started_at) WHERE state NOT IN ('done', 'failed');

-- What an import wants an operator to read: payloads that nobody holds, reserved AS numbers, members that differ.
CREATE TABLE import_remarks (
	import_id TEXT NOT NULL REFERENCES imports (import_id),
	remark_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (import_id, remark_id)
) STRICT, WITHOUT ROWID;
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
-- Rows. What follows stays as it is; what stands above is db/schema/*.sql up to this version (see README.md).
PRAGMA application_id = 1128350803;
PRAGMA user_version = 3;

INSERT INTO instance (id, uuid, master_key_fingerprint, epoch, created_at)
VALUES (1, '2f1b9c1e-0d58-4b6e-9a43-7d1f5f3a9c10', x'00112233', 7, 1700000000);

INSERT INTO repositories (repository_id, rrdp_uri, rsync_uri, session, serial, notified_serial, rsync_serial, cut_at, notified_at, rsync_at)
VALUES (1, 'https://rpki.example/rrdp/', 'rsync://rpki.example/repo/', '9df4b597-af9e-4dca-bdda-719cce2c4e28', 2, 2, 1, 1700000100, 1700000101,
	1700000050),
	(2, 'https://rpki.example/rrdp/2/', 'rsync://rpki.example/repo/', '5d1f4b0e-7c2a-4f3b-8f14-0b6a3f2c9e77', 0, 0, 0, 0, 0, 0);

INSERT INTO cas (ca_id, handle, kind, parent_id, repository_id, directory, resources, state, created_at, deleted_at)
VALUES (1, 'ta', 'ta', NULL, 1, 'ta/', x'01', 'active', 1700000000, NULL),
	(2, 'online', 'online', 1, 1, 'online/', x'01', 'active', 1700000000, NULL),
	(3, 'issuing-1', 'issuing', 2, 1, 'issuing-1/', NULL, 'active', 1700000000, NULL),
	(4, 'member-a', 'member', 3, 1, 'a/', x'02', 'active', 1700000001, NULL),
	(5, 'member-b', 'member', 3, 1, 'b/', x'03', 'deleted', 1700000001, 1700000090),
	(6, 'member-b', 'member', 3, 1, 'b2/', x'03', 'active', 1700000095, NULL);

INSERT INTO holdings (family, min, max, ca_id)
VALUES (0, x'0000FBF0', x'0000FBFF', 4), (4, x'C0000200', x'C00002FF', 4), (4, x'C6336400', x'C6336482', 6),
	(6, x'20010DB8000000000000000000000000', x'20010DB8FFFFFFFFFFFFFFFFFFFFFFFF', 6);

INSERT INTO keys (key_id, ca_id, state, handle, spki, key_identifier, crl_number, manifest_number, this_update_at, created_at)
VALUES (1, 1, 'current', x'A1', x'B1', x'C1', 1, 1, 1700000002, 1700000000), (2, 4, 'current', x'A2', x'B2', x'C2', 2, 2, 1700000100, 1700000001),
	(3, 5, 'destroyed', NULL, x'B3', x'C3', 1, 1, 1700000050, 1700000001);

INSERT INTO objects (object_id, repository_id, ca_id, key_id, kind, subject_ca_id, asn, slot, path, serial, hash, size, not_before_at,
	not_after_at, modified_at, published_serial, withdrawing, revoked_at, withdrawn_serial)
VALUES (1, 1, 1, 1, 'cer', 2, NULL, NULL, 'ta/online.cer', x'0101', x'D1', 1100, 1700000002, 1731536002, 1700000002, 1, 0, NULL, NULL),
	(2, 1, 4, 2, 'crl', NULL, NULL, NULL, 'a/a.crl', NULL, x'D2', 400, 1700000002, 1700086402, 1700000002, 1, 1, NULL, 2),
	(3, 1, 4, 2, 'roa', NULL, 64496, 1, 'a/1.roa', x'0102', x'D3', 1900, 1700000002, 1731536002, 1700000002, 1, 1, 1700000099, 2),
	(4, 1, 4, 2, 'roa', NULL, 64496, 1, 'a/2.roa', x'0103', x'D4', 1910, 1700000100, 1731536100, 1700000100, 2, 0, NULL, NULL),
	(5, 1, 4, 2, 'mft', NULL, NULL, NULL, 'a/a.mft', x'0104', x'D5', 2000, 1700000200, 1700086600, 1700000200, NULL, 0, NULL, NULL);

INSERT INTO object_bytes (object_id, der) VALUES (1, x'30820101'), (4, x'30820104'), (5, x'30820105');

INSERT INTO roas (ca_id, asn, family, address, prefix_length, max_length, comment, created_at)
VALUES (4, 64496, 4, x'C0000200', 24, 24, 'first', 1700000001), (4, 64497, 4, x'C0000280', 25, 32, NULL, 1700000150);

INSERT INTO roa_payloads (ca_id, asn, family, address, prefix_length, max_length, object_id)
VALUES (4, 64496, 4, x'C0000200', 24, 24, 4);

INSERT INTO cuts (repository_id, serial, cut_at, random, snapshot_hash, snapshot_size, delta_hash, delta_size, first_delta, objects, objects_size)
VALUES (1, 1, 1700000050, 'a1b2', x'E1', 5000, NULL, NULL, NULL, NULL, NULL), (1, 2, 1700000100, 'c3d4', x'E2', 6000, x'E3', 900, 2, 2, 3010);

INSERT INTO rsync_trees (tree_id, name, retired_at)
VALUES (1, 'one', NULL), (2, 'two', 1700000050);
INSERT INTO rsync_tree_parts (tree_id, repository_id, serial, target_serial)
VALUES (1, 1, 1, NULL), (2, 1, 0, 2);

INSERT INTO tokens (token_id, name, role, ca_id, hash, created_at, expires_at, revoked_at)
VALUES ('t1', 'administrator', 'admin', NULL, x'F1', 1700000000, NULL, NULL), ('t2', 'member-a', 'member', 4, x'F2', 1700000001, 1800000000, NULL);

INSERT INTO audit (audit_id, at, actor, token_id, action, ca_id, ca_handle, outcome, detail, request_id)
VALUES (1, 1700000001, 'administrator', 't1', 'ca.create', 4, 'member-a', 'done', '{}', 'r1'),
	(2, 1700000160, 'member-a', 't2', 'roa.change', 4, 'member-a', 'invalid', NULL, NULL);

INSERT INTO imports (import_id, kind, state, actor, started_at, finished_at, entries_total, entries_done)
VALUES ('i1', 'stats', 'done', 'administrator', 1700000001, 1700000060, 2, 2), ('i2', 'roas', 'applying', 'administrator', 1700000150, NULL, 9, 1);

INSERT INTO import_remarks (import_id, remark_id, kind, text) VALUES ('i1', 1, 'nobody', 'no member holds 203.0.113.0/24');

UPDATE cas SET held_at = 1700000120, alias = 'A91872ED' WHERE ca_id = 4;
UPDATE cas SET suspended_at = 1700000120, roll_at = 1700090000, roll_staging_s = 3600, change_group = 4, change_last = 1 WHERE ca_id = 6;

INSERT INTO keys (key_id, ca_id, state, handle, spki, key_identifier, crl_number, manifest_number, this_update_at, created_at, published_at,
	retired_at, staging_s)
VALUES (4, 4, 'staged', x'A4', x'B4', x'C4', 1, 1, 1700000100, 1700000099, 1700000100, NULL, 3600),
	(5, 6, 'retired', x'A5', x'B5', x'C5', 7, 7, 1700000100, 1700000001, 1700000002, 1700000099, NULL);

INSERT INTO transfers (transfer_id, state, from_ca_id, to_ca_id, resources, roas, straddling, roas_within, roas_straddling, roas_added, actor,
	created_at, confirmed_at, serial)
VALUES (1, 'issuing', 4, 6, x'01', 'move', 'refuse', 1, 0, 1, 'administrator', 1700000090, NULL, 2),
	(2, 'prepared', 4, NULL, x'01', 'leave', 'keep', 0, 1, 0, 'administrator', 1700000095, NULL, NULL);

INSERT INTO ta_request_key (id, handle, spki) VALUES (1, x'A6', x'B6');

INSERT INTO ta_ceremonies (number, state, request, requested_at, installed_at, due_at)
VALUES (1, 'installed', x'7B7D', 1700000010, 1700000020, 1705000000), (2, 'pending', x'7B7D', 1700000090, NULL, NULL);

INSERT INTO guard_refusals (repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost, accepted_at)
VALUES (1, 'ABCD-EFGH', 1700000099, 1000, 200, 10, 1, NULL);

INSERT INTO registry_feeds (feed_id, applied_at, actor, registry, holders, members_new, members_changed, members_gone, roas_lost, code, accepted)
VALUES (1, 1700000090, 'administrator', 'afrinic', 2, 1, 1, 0, 0, 'ABCD-EFGH', 0);
