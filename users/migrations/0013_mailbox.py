from django.db import migrations

UNDELIVERED = """
CREATE FUNCTION users_undelivered(
    sent_since timestamptz, connections bigint[], last_sent bigint[], most integer[]
)
RETURNS TABLE (
    place bigint, message_id bigint, sender_id text, body text, sent_at timestamptz
)
LANGUAGE plpgsql STABLE
-- Every query reads an index, whatever the statistics say of a table that was empty a minute ago. So
-- the first plan stays the right one.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    SELECT asked.number, message.id, message.sender_id::text, message.body, message.sent_at
      FROM unnest(connections, last_sent, most)
           WITH ORDINALITY AS asked (connection_id, last_sent, most, number)
      JOIN users_connection AS held
        ON held.id = asked.connection_id AND held.kicked_at IS NULL
      JOIN users_appuser AS recipient
        ON recipient.environment_id = held.environment_id AND recipient.user_id = held.user_id
     CROSS JOIN LATERAL (
         SELECT * FROM users_message AS candidate
          WHERE candidate.environment_id = held.environment_id
            AND candidate.recipient_id = held.user_id AND candidate.id > asked.last_sent
            AND (candidate.delivered_at IS NULL OR candidate.delivered_at > held.connected_at)
            AND candidate.sent_at > sent_since
            AND EXISTS (
                SELECT FROM users_appuser AS sender
                 WHERE sender.environment_id = candidate.environment_id
                   AND sender.user_id = candidate.sender_id
            )
          ORDER BY candidate.id LIMIT asked.most
     ) AS message
     ORDER BY asked.number, message.id;
END $$;

COMMENT ON FUNCTION users_undelivered IS
'The messages that connections[place] has not been sent: after last_sent[place], sent after sent_since, and
not acknowledged when the connection was opened. At most most[place], in the order in which they were
stored. None for a connection that somebody has asked to close, and none from or to a user who is not
registered any more.';
"""

ACKNOWLEDGE = """
CREATE FUNCTION users_acknowledge(
    at_moment timestamptz, connections bigint[], places bigint[], messages bigint[]
)
RETURNS TABLE (place bigint, acknowledged bigint)
LANGUAGE plpgsql
-- Every query reads an index, whatever the statistics say of a table that was empty a minute ago. So
-- the first plan stays the right one.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH waiting AS MATERIALIZED (
        -- In the order of their keys, so that two callers cannot deadlock.
        SELECT message.id, given.place
          FROM unnest(places, messages) AS given (place, message_id)
          JOIN users_connection AS held
            ON held.id = connections[given.place] AND held.kicked_at IS NULL
          JOIN users_message AS message
            ON message.id = given.message_id AND message.environment_id = held.environment_id
           AND message.recipient_id = held.user_id AND message.delivered_at IS NULL
         ORDER BY message.id FOR UPDATE OF message
    ), marked AS (
        UPDATE users_message AS message SET delivered_at = at_moment
         WHERE message.id IN (SELECT waiting.id FROM waiting)
    ), counted AS (
        -- Two devices of a user may acknowledge the same message: it counts for one of them.
        SELECT first.place, count(*) AS number
          FROM (SELECT min(waiting.place) AS place FROM waiting GROUP BY waiting.id) AS first
         GROUP BY first.place
    )
    SELECT asked.number, coalesce(counted.number, 0)
      FROM unnest(connections) WITH ORDINALITY AS asked (connection_id, number)
      JOIN users_connection AS held ON held.id = asked.connection_id AND held.kicked_at IS NULL
      LEFT JOIN counted ON counted.place = asked.number;
END $$;

COMMENT ON FUNCTION users_acknowledge IS
'Marks messages as delivered: messages[n] for connections[places[n]]. Returns for each place how many of its
messages were waiting, and no row if somebody has asked the connection to close.';
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0012_kick_reports")]

    operations = [
        migrations.RunSQL(UNDELIVERED, "DROP FUNCTION users_undelivered"),
        migrations.RunSQL(ACKNOWLEDGE, "DROP FUNCTION users_acknowledge"),
    ]
