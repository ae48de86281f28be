from importlib import import_module

from django.db import migrations

together = import_module("users.migrations.0016_read_together")

WAITING = f"""
CREATE OR REPLACE FUNCTION users_waiting(sent_since timestamptz, connections bigint[])
RETURNS TABLE (place bigint, number bigint)
LANGUAGE plpgsql STABLE
{together.SETTINGS}
AS $$
BEGIN
    RETURN QUERY
    -- OFFSET 0 keeps the parts apart. In one join, a plan that was made while there was no connection
    -- begins with all connections, and is kept when there are many.
    SELECT asked.number, waiting.count
      FROM unnest(connections) WITH ORDINALITY AS asked (connection_id, number)
     CROSS JOIN LATERAL (
           SELECT held.environment_id, held.user_id,
                  EXISTS (
                      SELECT FROM users_appuser AS recipient
                       WHERE recipient.environment_id = held.environment_id
                         AND recipient.user_id = held.user_id
                  ) AS is_registered
             FROM users_connection AS held
            WHERE held.id = asked.connection_id AND held.kicked_at IS NULL
           OFFSET 0
           ) AS held
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE EXISTS (
                      SELECT FROM users_appuser AS sender
                       WHERE sender.environment_id = message.environment_id
                         AND sender.user_id = message.sender_id
                  )) AS count
             FROM users_message AS message
            WHERE held.is_registered
              AND message.environment_id = held.environment_id
              AND message.recipient_id = held.user_id AND message.delivered_at IS NULL
              AND message.sent_at > sent_since
           OFFSET 0
           ) AS waiting;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0020_to_deliver")]

    operations = [migrations.RunSQL(WAITING, together.WAITING.replace("CREATE", "CREATE OR REPLACE", 1))]
