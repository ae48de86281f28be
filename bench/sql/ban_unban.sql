-- Inserts or extends the ban and marks the user; then undoes both. Two calls.
\set known random(1, 10000)
BEGIN;
INSERT INTO ban (person, ends_at) VALUES (:known, now() + interval '1 hour')
ON CONFLICT (person) DO UPDATE SET ends_at = excluded.ends_at;
UPDATE person SET is_banned = true WHERE id = :known;
COMMIT;
BEGIN;
DELETE FROM ban WHERE person = :known;
UPDATE person SET is_banned = false WHERE id = :known;
COMMIT;
