from django.db import migrations

# As `users_undelivered` of the migration 0013_mailbox, and also what the user has written on another
# device. That form stays for processes of the previous version, which still run.
TO_DELIVER = """
CREATE FUNCTION users_to_deliver(
    sent_since timestamptz, connections bigint[], last_sent bigint[], most integer[]
)
RETURNS TABLE (
    place bigint, message_id bigint, sender_id text, recipient_id text, body text, extra text,
    sent_at timestamptz
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
    SELECT asked.number, message.id, message.sender_id::text, message.recipient_id::text, message.body,
           message.extra, message.sent_at
      FROM unnest(connections, last_sent, most)
           WITH ORDINALITY AS asked (connection_id, last_sent, most, number)
      JOIN users_connection AS held
        ON held.id = asked.connection_id AND held.kicked_at IS NULL
      JOIN users_appuser AS owner
        ON owner.environment_id = held.environment_id AND owner.user_id = held.user_id
     CROSS JOIN LATERAL (
         (
             SELECT received.* FROM users_message AS received
              WHERE received.environment_id = held.environment_id
                AND received.recipient_id = held.user_id AND received.id > asked.last_sent
                AND (received.delivered_at IS NULL OR received.delivered_at > held.connected_at)
                AND received.sent_at > sent_since
                AND EXISTS (
                    SELECT FROM users_appuser AS sender
                     WHERE sender.environment_id = received.environment_id
                       AND sender.user_id = received.sender_id
                )
              ORDER BY received.id LIMIT asked.most
         )
         UNION ALL
         (
             SELECT written.* FROM users_message AS written
              WHERE written.environment_id = held.environment_id
                AND written.sender_id = held.user_id AND written.id > asked.last_sent
                AND written.sent_from IS NOT NULL AND written.sent_from <> held.id
                AND written.sent_at > held.connected_at AND written.sent_at > sent_since
                AND written.recipient_id <> held.user_id
                AND EXISTS (
                    SELECT FROM users_appuser AS recipient
                     WHERE recipient.environment_id = written.environment_id
                       AND recipient.user_id = written.recipient_id
                )
              ORDER BY written.id LIMIT asked.most
         )
         ORDER BY id LIMIT asked.most
     ) AS message
     ORDER BY asked.number, message.id;
END $$;

COMMENT ON FUNCTION users_to_deliver IS
'The messages that connections[place] has not been sent, after last_sent[place] and sent after sent_since:
those to its user that were not acknowledged when the connection was opened, and those that its user has
written since then on another device. At most most[place], in the order in which they were stored. None for
a connection that somebody has asked to close, and none from or to a user who is not registered any more.';
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0019_seats")]

    operations = [migrations.RunSQL(TO_DELIVER, "DROP FUNCTION users_to_deliver")]
