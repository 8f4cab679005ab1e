-- That a person was erased: who asked for it and when, and never who the person was.

CREATE TABLE erasures (
  id           integer PRIMARY KEY AUTOINCREMENT,
  user_id      integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  contact_id   integer,                    -- the number that the contact had; NULL when the person was none any more
  hash         blob NOT NULL,             -- of the address, as in suppressions
  requested_by text NOT NULL,             -- the name of the key
  at           integer NOT NULL,
  finished_at  integer                     -- since then no file of the database holds a remnant either
);
CREATE INDEX erasures_user ON erasures (user_id, id);
CREATE INDEX erasures_hash ON erasures (user_id, hash);
CREATE INDEX erasures_contact ON erasures (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX erasures_open ON erasures (id) WHERE finished_at IS NULL;

-- Sandboxes look for those that were erased lately.
CREATE INDEX suppressions_erased ON suppressions (created_at) WHERE reason = 'erased';
