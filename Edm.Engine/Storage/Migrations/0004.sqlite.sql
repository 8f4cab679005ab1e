-- How a launched task gets to its queue: taken in the order of the next try, and refused for good where the queue says so.
-- tasks.state may be 'refused' from here on.
ALTER TABLE tasks ADD COLUMN launch_tries integer NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN launch_at    integer NOT NULL DEFAULT 0;   -- not offered to its queue before
ALTER TABLE tasks ADD COLUMN refusal      text;                        -- the queue's reason
DROP INDEX tasks_launching;
CREATE INDEX tasks_launching ON tasks (launch_at, id) WHERE state = 'launching';
