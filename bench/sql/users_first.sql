-- 50 users.
SELECT id, user_id, name, avatar, is_banned, registered_at FROM person
 WHERE app = 1 AND id > 0 ORDER BY id LIMIT 50;
