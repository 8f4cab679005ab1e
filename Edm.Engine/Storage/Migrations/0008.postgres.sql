-- What replies mean, and who is not mailed any more because of one.

ALTER TABLE deliveries ADD COLUMN class text; -- of the last reply: accepted | mailbox-full | no-such-user | ...; NULL where nothing was replied, and before this version

-- Recipients of whom a server said for good that there is no such mailbox. Written with the delivery; a moment later the contact is suppressed.
CREATE TABLE dead_addresses (
  task_id     bigint  NOT NULL,
  seq         integer NOT NULL,
  user_id     bigint  NOT NULL,
  contact_id  bigint  NOT NULL,
  reply_code  integer,
  enhanced    text,                         -- RFC 3463
  reply       text,                         -- the server's words, addresses cut out
  at          bigint  NOT NULL,
  applied_at  bigint,                         -- when the contact was looked at; NULL: that is still to be done
  PRIMARY KEY (task_id, seq)
);
CREATE INDEX dead_addresses_waiting ON dead_addresses (user_id, at) WHERE applied_at IS NULL;
CREATE INDEX dead_addresses_contact ON dead_addresses (contact_id);

-- The contacts that are not mailed, for their list.
CREATE INDEX contacts_not_active ON contacts (user_id, id) WHERE status <> 'active';
