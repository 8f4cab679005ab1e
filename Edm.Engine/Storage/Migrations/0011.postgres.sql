-- The projection reads the journal itself, so events have no tags any more. The table is that of the journal's plugin, which makes it anew where it is missed.
DO $$ BEGIN IF to_regclass('journal_tags') IS NOT NULL THEN TRUNCATE journal_tags; END IF; END $$;
