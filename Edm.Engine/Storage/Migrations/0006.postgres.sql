-- Limits of services beyond plain numbers, the weights of a pool's selection, and why a service was chosen.

ALTER TABLE services ADD COLUMN limits text;            -- JSON, as the API writes it; NULL: none
ALTER TABLE pools ADD COLUMN weights text;              -- JSON, as the API writes it; NULL: the usual ones
ALTER TABLE deliveries ADD COLUMN score smallint;            -- of the service of the last attempt, in thousandths
ALTER TABLE deliveries ADD COLUMN runner_up_id bigint;       -- the service that came next
ALTER TABLE deliveries ADD COLUMN runner_up_score smallint;
