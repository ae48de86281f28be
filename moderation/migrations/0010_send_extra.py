from django.db import migrations

# As in the migration 0009_send, and with what apps add to their texts, and copies for the sender's other
# devices. That form stays for processes of the previous version, which still run.
SEND = """
CREATE FUNCTION moderation_send(
    at_moment timestamptz,
    most_waiting integer,
    may_wait boolean,
    environments bigint[],
    connections bigint[],
    senders text[],
    recipients text[],
    client_ids text[],
    bodies text[],
    extras text[]
)
RETURNS TABLE (
    place bigint, rule text, message_id bigint, sent_at timestamptz, is_copied boolean,
    until timestamptz, why text
)
LANGUAGE plpgsql
-- Every query reads an index, whatever the statistics say of a table that was empty a minute ago. So
-- the first plan stays the right one.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    free boolean[];
    draft record;
    known record;
BEGIN
    -- The sender's lock makes concurrent sends of one message find the first one. The recipient's makes
    -- messages visible in the order of their keys, and keeps the lists as they are. Sorted, so that two
    -- callers cannot deadlock.
    IF may_wait THEN
        PERFORM pg_advisory_xact_lock(sorted.key) FROM (
            SELECT users_lock_key(given.environment_id, given.user_id) AS key
              FROM unnest(
                  environments || environments, senders || recipients
              ) AS given (environment_id, user_id)
             GROUP BY 1 ORDER BY 1
        ) AS sorted;
    ELSE
        SELECT array_agg(
                   pg_try_advisory_xact_lock(users_lock_key(given.environment_id, given.sender_id))
                   AND pg_try_advisory_xact_lock(
                       users_lock_key(given.environment_id, given.recipient_id)
                   )
                   ORDER BY given.number
               )
          INTO free
          FROM unnest(environments, senders, recipients)
               WITH ORDINALITY AS given (environment_id, sender_id, recipient_id, number);
    END IF;

    -- Each statement from here on sees the changes for which the locks have waited.
    FOR draft IN
        SELECT given.*
          FROM unnest(environments, connections, senders, recipients, client_ids, bodies, extras)
               WITH ORDINALITY AS given (
                   environment_id, connection_id, sender_id, recipient_id, client_id, body, extra, number
               )
         ORDER BY given.number
    LOOP
        place := draft.number;
        rule := NULL; message_id := NULL; sent_at := NULL; is_copied := false; until := NULL; why := '';
        IF NOT may_wait AND NOT free[draft.number] THEN
            rule := 'busy';
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF NOT EXISTS (
            SELECT FROM users_connection AS held
             WHERE held.id = draft.connection_id AND held.kicked_at IS NULL
        ) THEN
            rule := 'closing';
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT message.id, message.sent_at,
               message.recipient_id = draft.recipient_id AND message.body = draft.body
               AND message.extra = draft.extra AS is_same
          INTO known
          FROM users_message AS message
         WHERE message.environment_id = draft.environment_id
           AND message.sender_id = draft.sender_id AND message.client_id = draft.client_id;
        IF FOUND THEN
            IF known.is_same THEN
                rule := 'sent_before'; message_id := known.id; sent_at := known.sent_at;
            ELSE
                rule := 'client_id_taken';
            END IF;
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT gate.rule, gate.until, gate.why INTO rule, until, why
          FROM moderation_may_message(
              draft.environment_id, draft.sender_id, draft.recipient_id, at_moment, most_waiting
          ) AS gate;
        IF rule IN ('open', 'on_allowlist') THEN
            -- The sender's lock keeps further devices out until the commit.
            is_copied := EXISTS (
                SELECT FROM users_connection AS other
                 WHERE other.environment_id = draft.environment_id AND other.user_id = draft.sender_id
                   AND other.kicked_at IS NULL AND other.id <> draft.connection_id
            );
            INSERT INTO users_message AS made (
                environment_id, sender_id, recipient_id, client_id, body, extra, sent_at, sent_from
            ) VALUES (
                draft.environment_id, draft.sender_id, draft.recipient_id, draft.client_id, draft.body,
                draft.extra, at_moment, CASE WHEN is_copied THEN draft.connection_id END
            ) RETURNING made.id INTO message_id;
            rule := 'sent'; sent_at := at_moment;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

COMMENT ON FUNCTION moderation_send(
    timestamptz, integer, boolean, bigint[], bigint[], text[], text[], text[], text[], text[]
) IS
'The law of sending. One row for each message, in the order given; it is stored if rule is sent.
Otherwise rule names the refusal and nothing changes for this message.

- Sender and recipient are locked from the first check to the commit. Without may_wait a message is left
  out, with the rule busy, if somebody else has locked one of the two.
- The sender''s connection is open: nobody has asked to close it.
- A message with a client_id that its sender has used is the same message (sent_before, whatever the gate
  says now), or client_id_taken if recipient, text or what the app added differ.
- is_copied: the sender has other connections, which get a copy (users_to_deliver).
- The gate allows it (moderation_may_message, whose rule is returned otherwise).';
"""


BACK = """
DROP FUNCTION moderation_send(
    timestamptz, integer, boolean, bigint[], bigint[], text[], text[], text[], text[], text[]
)
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0009_send"), ("users", "0020_to_deliver")]

    operations = [migrations.RunSQL(SEND, BACK)]
