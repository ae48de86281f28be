-- Is this user online?
\set known random(1, 10000)
SELECT since FROM online WHERE user_id = 'user-' || :known;
