-- What a campaign and its task say of retries themselves; null: as the settings say when it is launched. What a task was launched with is projected. Times in seconds.
ALTER TABLE campaigns ADD COLUMN max_attempts integer;
ALTER TABLE campaigns ADD COLUMN max_age integer;
ALTER TABLE campaigns ADD COLUMN send_within integer;
ALTER TABLE tasks ADD COLUMN max_attempts integer;
ALTER TABLE tasks ADD COLUMN max_age integer;
ALTER TABLE tasks ADD COLUMN send_within integer;
