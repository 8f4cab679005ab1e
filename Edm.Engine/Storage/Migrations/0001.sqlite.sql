-- All *_at columns are milliseconds since 1970-01-01T00:00:00Z. Ids are dense and made by the database.

CREATE TABLE users (
  id          integer PRIMARY KEY AUTOINCREMENT,
  name        text   NOT NULL UNIQUE,
  role        text   NOT NULL,              -- admin | user
  created_at  integer NOT NULL
);

CREATE TABLE api_keys (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text   NOT NULL,
  hash        blob  NOT NULL UNIQUE,       -- SHA-256 of the whole key; the key itself is never stored
  created_at  integer NOT NULL,
  revoked_at  integer
);

CREATE TABLE contacts (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  email       text   NOT NULL,              -- as it is written on an envelope
  email_key   text   NOT NULL,              -- normal form for comparing
  handle      text,
  nickname    text,
  followers   integer,
  country     text,
  language    text,
  category    text,
  bio         text,
  attributes  text   NOT NULL DEFAULT '{}', -- unknown columns, name -> string
  status      text   NOT NULL DEFAULT 'active', -- active | unsubscribed | suppressed
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL,
  UNIQUE (user_id, email_key)
);

CREATE TABLE imports (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  file_name   text   NOT NULL,
  format      text   NOT NULL,              -- csv | ndjson | json | unknown (ended before that was found out)
  state       text   NOT NULL,              -- reading | merging | finished | failed
  rows        integer NOT NULL DEFAULT 0,
  created     integer NOT NULL DEFAULT 0,
  updated     integer NOT NULL DEFAULT 0,
  unchanged   integer NOT NULL DEFAULT 0,
  rejected    integer NOT NULL DEFAULT 0,
  error       text,
  created_at  integer NOT NULL,
  finished_at integer
);
CREATE INDEX imports_user ON imports (user_id, id);

CREATE TABLE import_errors (
  import_id   integer NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  nr          integer NOT NULL,
  line        integer NOT NULL,
  field       text   NOT NULL,
  value       text   NOT NULL,
  reason      text   NOT NULL,
  PRIMARY KEY (import_id, nr)
);

CREATE TABLE pools (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text   NOT NULL,
  shared      integer NOT NULL DEFAULT 0, -- other users may send through it (an administrator decides)
  lanes       integer    NOT NULL,              -- fixed for the life of the pool
  created_at  integer NOT NULL,
  UNIQUE (user_id, name)
);

CREATE TABLE services (
  id              integer PRIMARY KEY AUTOINCREMENT,
  user_id         integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  pool_id         integer NOT NULL REFERENCES pools (id),
  lane            integer    NOT NULL,          -- never changes
  name            text   NOT NULL,
  kind            text   NOT NULL,          -- smtp | sandbox
  host            text   NOT NULL,
  port            integer    NOT NULL,
  tls             text   NOT NULL,          -- none | starttls | implicit | auto
  username        text,
  password        blob,                    -- AES-256-GCM
  sender_address  text   NOT NULL,
  sender_name     text,
  per_minute      integer,                      -- NULL: no limit
  per_hour        integer,
  per_day         integer,
  connections     integer    NOT NULL,
  enabled         integer NOT NULL,
  version         integer NOT NULL,          -- counts changes
  last_error      text,                     -- the server's words when the service last broke, NULL when it works
  created_at      integer NOT NULL,
  updated_at      integer NOT NULL,
  deleted_at      integer
);
CREATE UNIQUE INDEX services_name ON services (user_id, name) WHERE deleted_at IS NULL;
CREATE INDEX services_lane ON services (pool_id, lane);

CREATE TABLE templates (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text   NOT NULL,
  version     integer    NOT NULL,              -- the newest row of template_versions
  created_at  integer NOT NULL,
  updated_at  integer NOT NULL,
  deleted_at  integer
);
CREATE UNIQUE INDEX templates_name ON templates (user_id, name) WHERE deleted_at IS NULL;

CREATE TABLE template_versions (
  template_id integer NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  version     integer    NOT NULL,
  subject     text   NOT NULL,
  html        text,
  text        text,
  strict      integer NOT NULL,             -- an unknown variable fails the recipient
  created_at  integer NOT NULL,
  PRIMARY KEY (template_id, version)
);

CREATE TABLE campaigns (
  id          integer PRIMARY KEY AUTOINCREMENT,
  user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name        text   NOT NULL,
  template_id integer NOT NULL REFERENCES templates (id),
  pool_id     integer NOT NULL REFERENCES pools (id),
  filter      text   NOT NULL DEFAULT '',   -- '' = all contacts
  priority    integer    NOT NULL DEFAULT 1,
  state       text   NOT NULL,              -- draft | frozen | launched
  created_at  integer NOT NULL
);
CREATE INDEX campaigns_user ON campaigns (user_id, id);

-- One round of a campaign, put to work. The counts are projected from the UserQueue's events; the UserQueue itself is the truth.
CREATE TABLE tasks (
  id                  integer PRIMARY KEY AUTOINCREMENT,
  user_id             integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  campaign_id         integer NOT NULL REFERENCES campaigns (id),
  round               integer    NOT NULL,
  template_id         integer NOT NULL,
  template_version    integer    NOT NULL,
  pool_id             integer NOT NULL REFERENCES pools (id),
  priority            integer    NOT NULL,
  planned             integer    NOT NULL,
  state               text   NOT NULL,      -- frozen | deleting | launching | running | paused | cancelled | finished
  sent                integer    NOT NULL DEFAULT 0,
  failed              integer    NOT NULL DEFAULT 0,
  skipped             integer    NOT NULL DEFAULT 0,
  unknown             integer    NOT NULL DEFAULT 0,
  created_at          integer NOT NULL,
  launched_at         integer,
  finished_at         integer,
  UNIQUE (campaign_id, round)
);
CREATE INDEX tasks_user ON tasks (user_id, id);
CREATE INDEX tasks_launching ON tasks (id) WHERE state = 'launching';

-- The frozen audience. Rows are written once and never updated.
CREATE TABLE audience (
  task_id     integer NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  seq         integer    NOT NULL,              -- 1 .. planned, without holes
  contact_id  integer NOT NULL,
  campaign_id integer NOT NULL,
  round       integer    NOT NULL,
  PRIMARY KEY (task_id, seq),
  UNIQUE (campaign_id, round, contact_id)   -- the intent key: nobody is mailed twice for one round
);

-- What became of a recipient, projected from OutcomesRecorded. A recipient without a row has had no outcome yet.
CREATE TABLE deliveries (
  task_id     integer NOT NULL,
  seq         integer    NOT NULL,
  user_id     integer NOT NULL,
  state       text   NOT NULL,              -- pending-retry | sent | failed | skipped | cancelled | unknown
  attempts    integer    NOT NULL,
  service_id  integer,
  reply_code  integer,
  enhanced    text,                         -- RFC 3463
  reply       text,                         -- the server's words, addresses cut out
  reason      text,
  first_at    integer NOT NULL,
  last_at     integer NOT NULL,
  due_at      integer,
  PRIMARY KEY (task_id, seq)
);

CREATE TABLE projection_offsets (
  name        text   NOT NULL PRIMARY KEY,
  position    integer NOT NULL
);
