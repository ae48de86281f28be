-- 50 of a blocklist.
SELECT other FROM listed WHERE owner = 'user-1' ORDER BY other LIMIT 50;
