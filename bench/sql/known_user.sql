-- Who is that? A signed token needs no more.
\set known random(1, 10000)
SELECT id, name, avatar FROM person WHERE app = 1 AND user_id = 'user-' || :known;
