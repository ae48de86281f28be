-- Reads the plan, inserts the user, and a token's hash, as a service without signed tokens does.
\set new random(1, 1000000000000000)
BEGIN;
SELECT name, seats FROM plan WHERE app = 1;
INSERT INTO person (app, user_id, name) VALUES (1, 'new-' || :client_id || '-' || :new, 'Ada')
RETURNING id \gset
INSERT INTO token (hash, person) VALUES (sha256((:new || '-' || :id)::bytea), :id);
COMMIT;
