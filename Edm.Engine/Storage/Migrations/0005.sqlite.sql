-- How a service logs in, and how it signs (Edm.Engine/Services/Dkim).

ALTER TABLE services ADD COLUMN login         text NOT NULL DEFAULT 'password';  -- password | xoauth2
ALTER TABLE services ADD COLUMN dkim_domain   text;                              -- NULL: its mails are not signed here
ALTER TABLE services ADD COLUMN dkim_selector text;
ALTER TABLE services ADD COLUMN dkim_record   text;                              -- the TXT record that publishes the key
ALTER TABLE services ADD COLUMN dkim_key      blob;                              -- PKCS #8 in PEM, AES-256-GCM
