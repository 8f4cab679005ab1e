-- A command for a task that its queue has archived brings it back from here, once what is here is complete.

ALTER TABLE tasks ADD COLUMN wanted_nr bigint NOT NULL DEFAULT 0; -- everything that its queue journaled up to this number is projected
