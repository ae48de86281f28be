from django.db import migrations

# As in the migration 0008_connect, and with seats. That form stays for processes of the previous version,
# which still run.
CONNECT = """
CREATE FUNCTION moderation_connect(
    to_gateway bigint,
    at_moment timestamptz,
    most_connections integer,
    may_wait boolean,
    in_transaction boolean,
    environments bigint[],
    app_keys text[],
    lives bigint[],
    user_ids text[],
    tokens_issued_at timestamptz[],
    devices text[],
    platforms text[],
    addresses inet[],
    acknowledged_up_to bigint[],
    seats text[]
)
RETURNS TABLE (
    place bigint, rule text, connection_id bigint, until timestamptz, why text, replaced bigint[]
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
    client record;
    environment record;
    held record;
BEGIN
    IF NOT in_transaction AND EXISTS (
        SELECT FROM applications_webhook AS webhook
         WHERE webhook.environment_id = ANY (environments) AND webhook.disabled_at IS NULL
    ) THEN
        RETURN;
    END IF;

    -- The shared lock of everybody excludes `identity.lock_environment`. Sorted, so that two callers
    -- cannot deadlock.
    IF may_wait THEN
        PERFORM pg_advisory_xact_lock_shared(sorted.key) FROM (
            SELECT DISTINCT users_lock_key(given.environment_id, '/everybody') AS key
              FROM unnest(environments) AS given (environment_id) ORDER BY 1
        ) AS sorted;
        PERFORM pg_advisory_xact_lock(sorted.key) FROM (
            SELECT DISTINCT users_lock_key(given.environment_id, given.user_id) AS key
              FROM unnest(environments, user_ids) AS given (environment_id, user_id) ORDER BY 1
        ) AS sorted;
    ELSE
        SELECT array_agg(
                   pg_try_advisory_xact_lock_shared(users_lock_key(given.environment_id, '/everybody'))
                   AND pg_try_advisory_xact_lock(users_lock_key(given.environment_id, given.user_id))
                   ORDER BY given.number
               )
          INTO free
          FROM unnest(environments, user_ids)
               WITH ORDINALITY AS given (environment_id, user_id, number);
    END IF;

    -- Each statement from here on sees the changes for which the locks have waited.
    FOR client IN
        SELECT given.*
          FROM unnest(
              environments, app_keys, lives, user_ids, tokens_issued_at, devices, platforms, addresses,
              acknowledged_up_to, seats
          ) WITH ORDINALITY AS given (
              environment_id, app_key, life, user_id, token_issued_at, device, platform, address,
              acknowledged, seat, number
          )
         ORDER BY given.number
    LOOP
        place := client.number;
        rule := NULL; connection_id := NULL; until := NULL; why := ''; replaced := NULL;
        IF NOT may_wait AND NOT free[client.number] THEN
            rule := 'busy';
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT known.app_key, known.tokens_valid_from INTO environment
          FROM applications_environment AS known WHERE known.id = client.environment_id;
        IF environment.app_key IS DISTINCT FROM client.app_key THEN
            rule := 'wrong_environment';
            RETURN NEXT;
            CONTINUE;
        END IF;
        SELECT known.id, known.tokens_valid_from INTO held
          FROM users_appuser AS known
         WHERE known.id = client.life AND known.environment_id = client.environment_id;
        IF NOT FOUND THEN
            SELECT CASE gate.rule WHEN 'banned' THEN 'banned' WHEN 'deactivated' THEN 'deactivated'
                                  ELSE 'deleted' END, gate.until, gate.why
              INTO rule, until, why
              FROM moderation_may_connect(client.environment_id, client.user_id, at_moment) AS gate;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF client.token_issued_at < greatest(held.tokens_valid_from, environment.tokens_valid_from) THEN
            rule := 'revoked_token';
            RETURN NEXT;
            CONTINUE;
        END IF;
        SELECT gate.rule, gate.until, gate.why INTO rule, until, why
          FROM moderation_may_connect(client.environment_id, client.user_id, at_moment) AS gate;
        IF rule <> 'registered' THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF most_connections <= (
            SELECT count(*)
              FROM users_connection AS other
              JOIN users_gatewayprocess AS process ON process.id = other.gateway_id
             WHERE other.environment_id = client.environment_id AND other.user_id = client.user_id
               AND other.kicked_at IS NULL AND process.lease_until > at_moment
               AND (client.seat = '' OR other.seat <> client.seat)
        ) THEN
            rule := 'too_many_connections';
            RETURN NEXT;
            CONTINUE;
        END IF;

        IF client.seat <> '' THEN
            -- A connection that somebody else has locked is being closed by them.
            WITH closing AS (
                UPDATE users_connection AS former
                   SET kicked_at = at_moment, kick_reason = 'replaced', kick_until = NULL, kick_why = ''
                 WHERE former.id IN (
                     SELECT held_before.id FROM users_connection AS held_before
                      WHERE held_before.environment_id = client.environment_id
                        AND held_before.user_id = client.user_id AND held_before.seat = client.seat
                        AND held_before.kicked_at IS NULL
                      FOR UPDATE SKIP LOCKED
                 ) RETURNING former.id
            )
            SELECT array_agg(closing.id) INTO replaced FROM closing;
        END IF;
        -- Skips a locked row: its holder may be waiting for one that is locked here.
        UPDATE users_appuser AS seen SET last_seen_at = at_moment
         WHERE seen.id = (
             SELECT known.id FROM users_appuser AS known
              WHERE known.id = client.life FOR NO KEY UPDATE SKIP LOCKED
         );
        INSERT INTO users_connection AS made (
            gateway_id, environment_id, user_id, device, platform, address, seat, connected_at,
            kick_reason, kick_why
        ) VALUES (
            to_gateway, client.environment_id, client.user_id, client.device, client.platform,
            client.address, client.seat, at_moment, '', ''
        ) RETURNING made.id INTO connection_id;
        IF client.acknowledged > 0 THEN
            -- A message that somebody else has locked is being acknowledged or erased by them.
            UPDATE users_message AS message SET delivered_at = at_moment
             WHERE message.id IN (
                 SELECT waiting.id FROM users_message AS waiting
                  WHERE waiting.environment_id = client.environment_id
                    AND waiting.recipient_id = client.user_id AND waiting.delivered_at IS NULL
                    AND waiting.id <= client.acknowledged
                  ORDER BY waiting.id FOR UPDATE SKIP LOCKED
             );
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

COMMENT ON FUNCTION moderation_connect(
    bigint, timestamptz, integer, boolean, boolean, bigint[], text[], bigint[], text[], timestamptz[],
    text[], text[], inet[], bigint[], text[]
) IS
'The law of admission to the gateway. One row for each client, in the order given; the connection is
stored if rule is registered, otherwise rule names the refusal and nothing changes for this client.

- The user is locked from the first check to the commit, as whoever bans, deletes, deactivates or signs
  out the user locks them. Without may_wait a client whose user somebody else has locked is left out,
  with the rule busy.
- The token belongs to the app key''s environment and to the present life of the id, and was not issued
  before the time from which tokens of the user and of the environment are valid.
- The user may connect (moderation_may_connect) and has fewer than most_connections open connections.
- The connections that the user has open in the same seat are asked to close, and are in replaced. They
  do not count as open connections. A client with the seat '''' replaces none.
- The user''s messages up to acknowledged_up_to (0: none) are marked as delivered.
- If a webhook listens in one of the environments, its deliveries must be written in the same
  transaction. A call outside a longer transaction does nothing then, and returns no row.';
"""


BACK = """
DROP FUNCTION moderation_connect(
    bigint, timestamptz, integer, boolean, boolean, bigint[], text[], bigint[], text[], timestamptz[],
    text[], text[], inet[], bigint[], text[]
)
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0010_send_extra")]

    operations = [migrations.RunSQL(CONNECT, BACK)]
