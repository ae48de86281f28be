from django.db import migrations

SETTINGS = """
-- Every query reads an index, whatever the statistics say of a table that was empty a minute ago. So
-- the first plan stays the right one.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
"""

WAITING = f"""
CREATE FUNCTION users_waiting(sent_since timestamptz, connections bigint[])
RETURNS TABLE (place bigint, number bigint)
LANGUAGE plpgsql STABLE
{SETTINGS}
AS $$
BEGIN
    RETURN QUERY
    SELECT asked.number, count(message.id)
      FROM unnest(connections) WITH ORDINALITY AS asked (connection_id, number)
      JOIN users_connection AS held
        ON held.id = asked.connection_id AND held.kicked_at IS NULL
      LEFT JOIN users_appuser AS recipient
        ON recipient.environment_id = held.environment_id AND recipient.user_id = held.user_id
      LEFT JOIN users_message AS message
        ON message.environment_id = recipient.environment_id
       AND message.recipient_id = recipient.user_id AND message.delivered_at IS NULL
       AND message.sent_at > sent_since
       AND EXISTS (
           SELECT FROM users_appuser AS sender
            WHERE sender.environment_id = message.environment_id
              AND sender.user_id = message.sender_id
       )
     GROUP BY asked.number;
END $$;

COMMENT ON FUNCTION users_waiting IS
'How many messages wait for the user of connections[place], sent after sent_since. No row if somebody has
asked the connection to close.';
"""

NOTICES = f"""
CREATE FUNCTION users_undelivered_notices(
    posted_since timestamptz, connections bigint[], last_given bigint[], most integer[]
)
RETURNS TABLE (
    place bigint, notice_id bigint, sender_id text, kind text, message_id bigint, text text,
    posted_at timestamptz
)
LANGUAGE plpgsql STABLE
{SETTINGS}
AS $$
BEGIN
    RETURN QUERY
    SELECT asked.number, notice.id, notice.sender_id::text, notice.kind::text, notice.message_id,
           notice.text::text, notice.posted_at
      FROM unnest(connections, last_given, most)
           WITH ORDINALITY AS asked (connection_id, last_given, most, number)
      JOIN users_connection AS held
        ON held.id = asked.connection_id AND held.kicked_at IS NULL
     CROSS JOIN LATERAL (
         SELECT * FROM users_notice AS candidate
          WHERE candidate.environment_id = held.environment_id
            AND candidate.recipient_id = held.user_id AND candidate.id > asked.last_given
            AND (candidate.delivered_at IS NULL OR candidate.delivered_at > held.connected_at)
            AND candidate.posted_at > posted_since
          ORDER BY candidate.id LIMIT asked.most
     ) AS notice
     ORDER BY asked.number, notice.id;
END $$;

COMMENT ON FUNCTION users_undelivered_notices IS
'The notices that connections[place] has not been given: after last_given[place], posted after posted_since,
and not acknowledged when the connection was opened. At most most[place], oldest first. None for a
connection that somebody has asked to close.';
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0015_deleted_users")]

    operations = [
        migrations.RunSQL(WAITING, "DROP FUNCTION users_waiting"),
        migrations.RunSQL(NOTICES, "DROP FUNCTION users_undelivered_notices"),
    ]
