-- The last users.
SELECT id, user_id, name, avatar, is_banned, registered_at FROM person
 WHERE app = 1 AND id > (SELECT max(id) - 100 FROM person) ORDER BY id LIMIT 50;
