-- 50 bans in force, the latest end first.
SELECT user_id, ends_at FROM ban JOIN person ON person.id = ban.person WHERE ends_at > now() ORDER BY ends_at DESC LIMIT 50;
