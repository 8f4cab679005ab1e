-- Contacts get a dense number within their user, so that a set of contacts is a bitmap: chunk = ordinal / 8192, bit = ordinal % 8192.
-- Bitmaps are 1,024 bytes, bit n is bit n % 8 of byte n / 8. All-zero chunks have no row.

ALTER TABLE contacts ADD COLUMN ordinal integer NOT NULL DEFAULT -1; -- 0, 1, 2, ...; never used again once its contact is deleted
UPDATE contacts SET ordinal = numbered.ordinal
FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id) - 1 AS ordinal FROM contacts) numbered WHERE numbered.id = contacts.id;
CREATE UNIQUE INDEX contacts_ordinal ON contacts (user_id, ordinal);

-- Whoever writes contacts or tags of a user locks the user's row here first: writers of one user follow each other.
CREATE TABLE contact_books (
  user_id      integer NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  next_ordinal integer NOT NULL,
  contacts     integer NOT NULL              -- kept, not counted
);
INSERT INTO contact_books (user_id, next_ordinal, contacts) SELECT user_id, count(*), count(*) FROM contacts GROUP BY user_id;

CREATE TABLE contact_chunks (
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  chunk       integer NOT NULL,
  live        blob NOT NULL,              -- which ordinals have a contact
  version     integer NOT NULL,              -- grows with every change of a contact in the chunk
  activity    integer NOT NULL,              -- grows with every change of contact_activity in the chunk
  PRIMARY KEY (user_id, chunk)
);
INSERT INTO contact_chunks (user_id, chunk, live, version, activity)
WITH RECURSIVE filled (user_id, chunk, next_ordinal) AS (
  SELECT user_id, 0, next_ordinal FROM contact_books WHERE next_ordinal > 0
  UNION ALL
  SELECT user_id, chunk + 1, next_ordinal FROM filled WHERE (chunk + 1) * 8192 < next_ordinal),
bits AS (SELECT user_id, chunk, min(8192, next_ordinal - chunk * 8192) AS bits FROM filled)
SELECT user_id, chunk, unhex(substr(
  replace(hex(zeroblob(bits / 8)), '00', 'FF') || CASE WHEN bits % 8 > 0 THEN printf('%02X', (1 << (bits % 8)) - 1) ELSE '' END || hex(zeroblob(1024)), 1, 2048)), 1, 0
FROM bits;

-- What sending learnt of a contact. A contact without a row was never mailed.
CREATE TABLE contact_activity (
  user_id      integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  ordinal      integer NOT NULL,
  last_sent_at integer NOT NULL,
  PRIMARY KEY (user_id, ordinal)
);

INSERT INTO contact_activity (user_id, ordinal, last_sent_at)
SELECT c.user_id, c.ordinal, max(d.last_at)
FROM deliveries d JOIN audience a ON a.task_id = d.task_id AND a.seq = d.seq JOIN contacts c ON c.id = a.contact_id
WHERE d.state = 'sent' GROUP BY c.user_id, c.ordinal;

-- The history of a contact, without the values of a contact that was erased.
CREATE TABLE contact_changes (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  contact_id  integer NOT NULL,
  at          integer NOT NULL,
  kind        text NOT NULL DEFAULT 'changed', -- created | changed | unchanged | merged | erased
  source      text NOT NULL,              -- person | import
  reference   text,                         -- the name of the key, or the number of the import
  merged      integer,                     -- the contact that became a part of this one
  changes     text NOT NULL               -- field -> [old, new]
);
CREATE INDEX contact_changes_contact ON contact_changes (user_id, contact_id, id);

-- Addresses that may not come back, as keyed hashes: nobody can read them here.
CREATE TABLE suppressions (
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash        blob NOT NULL,              -- HMAC-SHA-256 of the address's normal form
  reason      text NOT NULL,              -- unsubscribed | suppressed | erased
  created_at  integer NOT NULL,
  PRIMARY KEY (user_id, hash)
);

CREATE TABLE tags (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text NOT NULL,
  name_key    text NOT NULL,              -- the name in lower case, for comparing
  color       text,                         -- #rrggbb
  contacts    integer NOT NULL DEFAULT 0,    -- kept, not counted
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL,
  deleted_at  integer                       -- kept while its deletion can be undone
);
CREATE UNIQUE INDEX tags_name ON tags (user_id, name_key) WHERE deleted_at IS NULL;

CREATE TABLE tag_members (
  tag_id      integer NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  chunk       integer NOT NULL,
  bits        blob NOT NULL,
  PRIMARY KEY (tag_id, chunk)
);

-- Every change of tags: who, when, why, and exactly which contacts.
CREATE TABLE tag_operations (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  at          integer NOT NULL,
  kind        text NOT NULL,              -- create | add | remove | replace | rename | recolor | merge | delete | undo
  source      text NOT NULL,              -- person | import | rule | ai
  actor       text NOT NULL,              -- the name of the key, of the rule or of the model, or the number of the import
  confidence  real,             -- 0 to 1, where the source has one
  details     text NOT NULL,              -- filter, names and colours before and after, ...
  added       integer NOT NULL,              -- pairs of tag and contact
  removed     integer NOT NULL,
  undoes      integer,                       -- the operation that this one took back
  undone_by   integer,                       -- the operation that took this one back
  pruned_at   integer                       -- when its deltas went: since then it can't be undone
);
CREATE INDEX tag_operations_user ON tag_operations (user_id, id);

-- Only real changes: a contact that had the tag already is not in added. One of the two may be NULL.
CREATE TABLE tag_deltas (
  operation_id integer NOT NULL REFERENCES tag_operations (id) ON DELETE CASCADE,
  tag_id       integer NOT NULL,
  chunk        integer NOT NULL,
  user_id      integer NOT NULL,
  added        blob,
  removed      blob,
  PRIMARY KEY (operation_id, tag_id, chunk)
);
CREATE INDEX tag_deltas_chunk ON tag_deltas (user_id, chunk, operation_id);
CREATE INDEX tag_deltas_tag ON tag_deltas (tag_id, operation_id);

-- What an operation made of tags themselves. Without old_name the tag came into being, without new_name it went.
CREATE TABLE tag_changes (
  operation_id integer NOT NULL REFERENCES tag_operations (id) ON DELETE CASCADE,
  tag_id       integer NOT NULL,
  old_name     text,
  old_color    text,
  new_name     text,
  new_color    text,
  PRIMARY KEY (operation_id, tag_id)
);
CREATE INDEX tag_changes_tag ON tag_changes (tag_id, operation_id);

-- Imports that go on where they were after a crash, and answer the same question with the same result.
ALTER TABLE imports ADD COLUMN idempotency_key text;
ALTER TABLE imports ADD COLUMN content_hash blob;      -- SHA-256 of the file as it came; NULL until it has been read to its end
ALTER TABLE imports ADD COLUMN options text NOT NULL DEFAULT '{}'; -- what was asked for beside the file
ALTER TABLE imports ADD COLUMN header text;             -- JSON: the names of the columns; NULL where each row names its own
ALTER TABLE imports ADD COLUMN suppressed integer NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN bytes integer NOT NULL DEFAULT 0; -- gone through, of the file as it came
ALTER TABLE imports ADD COLUMN total_bytes integer;
ALTER TABLE imports ADD COLUMN total_rows integer;
ALTER TABLE imports ADD COLUMN run_at integer;            -- when the process that is at it began to merge,
ALTER TABLE imports ADD COLUMN run_from integer NOT NULL DEFAULT 0; -- and after which row
ALTER TABLE imports ADD COLUMN progress_at integer;
CREATE UNIQUE INDEX imports_key ON imports (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE import_errors ADD COLUMN original text;       -- JSON: the row as its owner wrote it

-- Which contacts an import brought. Every one of them is in seen, and in created or changed where it was.
CREATE TABLE import_contacts (
  import_id   integer NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  chunk       integer NOT NULL,
  created     blob,
  changed     blob,
  seen        blob NOT NULL,
  PRIMARY KEY (import_id, chunk)
);

CREATE TABLE segments (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text NOT NULL,
  name_key    text NOT NULL,
  filter      text NOT NULL,
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL,
  UNIQUE (user_id, name_key)
);

-- How a user wants the columns of files to be read.
CREATE TABLE import_mappings (
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text NOT NULL,
  mapping     text NOT NULL,              -- JSON: name of a column -> field, attribute or ignore
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL,
  PRIMARY KEY (user_id, name)
);

-- Tags as a relation, for anyone with SQL.
CREATE VIEW contact_tags (contact_id, tag_id, user_id) AS
SELECT c.id, m.tag_id, t.user_id
FROM tags t
JOIN tag_members m ON m.tag_id = t.id
JOIN contacts c ON c.user_id = t.user_id AND c.ordinal >= m.chunk * 8192 AND c.ordinal < (m.chunk + 1) * 8192 AND
  -- the byte as two hexadecimal digits, which plain SQLite can read
  ((instr('0123456789ABCDEF', substr(hex(substr(m.bits, ((c.ordinal - m.chunk * 8192) >> 3) + 1, 1)), 1, 1)) - 1) * 16
    + instr('0123456789ABCDEF', substr(hex(substr(m.bits, ((c.ordinal - m.chunk * 8192) >> 3) + 1, 1)), 2, 1)) - 1) >> (c.ordinal & 7) & 1
WHERE t.deleted_at IS NULL;
