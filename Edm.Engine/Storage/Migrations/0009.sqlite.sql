-- Who gets how much while everybody wants something.

ALTER TABLE users ADD COLUMN weight integer NOT NULL DEFAULT 1; -- 1 to 100: the share among the users who send through the same lane
CREATE INDEX users_weighted ON users (id) WHERE weight <> 1;

-- Given with the campaign; the task's cap is changed while it is at work.
ALTER TABLE campaigns ADD COLUMN cap integer;   -- how many recipients may be handed out; NULL: all
ALTER TABLE campaigns ADD COLUMN unknown_policy text; -- hold | resend: what to do with mails of which nobody can know whether they went out; NULL: as the setting says
ALTER TABLE tasks ADD COLUMN cap integer;
ALTER TABLE tasks ADD COLUMN unknown_policy text;

-- For the list of such mails over all tasks of a user.
CREATE INDEX deliveries_unknown ON deliveries (user_id, task_id, seq) WHERE state = 'unknown';
