-- How far the tags of an old table have come into EDM (Edm.Engine/TagMigration). Everything here is gone with its migration.

CREATE TABLE tag_migrations (
  id          integer PRIMARY KEY AUTOINCREMENT,
  source      text   NOT NULL,              -- host:port/database/schema.table.column
  settings    text  NOT NULL,              -- as the operator gave them; no password
  phase       text   NOT NULL,              -- copying | following | cutting-over | cut-over | rolling-back | rolled-back
  round       integer NOT NULL DEFAULT 0,    -- who holds the newest one may write: a process that was cut off can't write what it read before
  copy_after  text,                         -- the key up to which rows were copied; NULL before the first
  copied      integer NOT NULL DEFAULT 0,    -- rows
  changed_to  text,                         -- with a column that tells changes: up to which value they were followed
  backup      text   NOT NULL,              -- the folder
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL
);
CREATE UNIQUE INDEX tag_migrations_open ON tag_migrations (source) WHERE phase <> 'rolled-back';

CREATE TABLE tag_migration_users (
  migration_id integer NOT NULL REFERENCES tag_migrations (id) ON DELETE CASCADE,
  user_id      integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  written_back integer NOT NULL DEFAULT 0,   -- the number of the last tag operation that the old table has
  PRIMARY KEY (migration_id, user_id)
);

-- What each row of the old table became. Without a user it could not become a contact, and the reason and its value are kept here instead.
CREATE TABLE tag_migration_keys (
  migration_id integer NOT NULL REFERENCES tag_migrations (id) ON DELETE CASCADE,
  old_key      text   NOT NULL,             -- the primary key as a JSON array of strings
  user_id      integer REFERENCES users (id) ON DELETE CASCADE,
  ordinal      integer,
  tags         text   NOT NULL,             -- the tags that this row gives its contact: a JSON array of their ids, ascending
  reason       text,
  value        text,
  PRIMARY KEY (migration_id, old_key)
);
CREATE INDEX tag_migration_keys_contact ON tag_migration_keys (migration_id, user_id, ordinal);
CREATE INDEX tag_migration_keys_aside ON tag_migration_keys (migration_id) WHERE user_id IS NULL;

-- Which tag each spelling became, and under which name.
CREATE TABLE tag_migration_names (
  migration_id integer NOT NULL REFERENCES tag_migrations (id) ON DELETE CASCADE,
  user_id      integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  spelling     text   NOT NULL,
  tag_id       integer NOT NULL,
  name         text   NOT NULL,
  PRIMARY KEY (migration_id, user_id, spelling)
);
CREATE INDEX tag_migration_names_tag ON tag_migration_names (migration_id, tag_id);

-- The members that tags had in EDM before the first row was copied: a migration never takes them away.
CREATE TABLE tag_migration_kept (
  migration_id integer NOT NULL REFERENCES tag_migrations (id) ON DELETE CASCADE,
  tag_id       integer NOT NULL,
  chunk        integer    NOT NULL,
  bits         blob  NOT NULL,
  PRIMARY KEY (migration_id, tag_id, chunk)
);
