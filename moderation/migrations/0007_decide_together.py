from django.db import migrations

# As in the migration 0004_decide, but for calls that share one statement, and with one statement
# where that had two. That form stays for processes of the previous version, which still run.
DECIDE = """
CREATE FUNCTION moderation_decide(
    of_environment bigint,
    of_application bigint,
    in_transaction boolean,
    lifting boolean,
    by_kind text,
    by_name text,
    by_via text,
    user_ids text[],
    moments timestamptz[],
    addresses inet[],
    requests text[],
    ends timestamptz[],
    reasons text[],
    told boolean[],
    sinces timestamptz[],
    OUT decided boolean,
    OUT heard boolean,
    OUT made_lives bigint[],
    OUT made_ids text[],
    OUT made_sinces timestamptz[],
    OUT closed_ids text[],
    OUT closed_as text[],
    OUT recorded bigint[],
    OUT kicked_lives bigint[],
    OUT kicked_ids text[]
)
LANGUAGE plpgsql
-- Every question below is a look into an index, whatever statistics say of a table that was empty
-- a minute ago; so the plan that was made first is good for ever.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    closed_terms jsonb[];
    closed_sinces timestamptz[];
    further bigint[];
BEGIN
    heard := EXISTS (
        SELECT FROM applications_webhook AS webhook
         WHERE webhook.environment_id = of_environment AND webhook.disabled_at IS NULL
    );
    decided := in_transaction OR NOT heard;
    IF NOT decided THEN
        RETURN;
    END IF;
    PERFORM users_lock(of_environment, user_ids);

    -- Each statement from here on sees what the locks have waited for.
    WITH closed AS (
        UPDATE moderation_ban AS ban
           SET closed_at = given.at_moment,
               closed_by = CASE WHEN ban.ends_at <= given.at_moment THEN 'system' ELSE by_name END,
               closed_via = CASE WHEN ban.ends_at <= given.at_moment THEN 'ban sweep' ELSE by_via END,
               outcome = CASE WHEN ban.ends_at <= given.at_moment THEN 'expired'
                              WHEN lifting THEN 'lifted' ELSE 'replaced' END
          FROM unnest(user_ids, moments, addresses, requests)
               AS given (user_id, at_moment, address, request)
         WHERE ban.environment_id = of_environment AND ban.user_id = given.user_id
           AND ban.closed_at IS NULL
        RETURNING ban.*, given.address, given.request
    ), line AS (
        INSERT INTO applications_auditevent (
            at, type, application_id, environment_id, subject, actor_kind, actor, via, address,
            request_id, before
        )
        SELECT closed.closed_at, 'ban.' || closed.outcome, of_application, of_environment,
               closed.user_id, CASE WHEN closed.outcome = 'expired' THEN 'system' ELSE by_kind END,
               closed.closed_by, closed.closed_via,
               CASE WHEN closed.outcome <> 'expired' THEN closed.address END,
               CASE WHEN closed.outcome = 'expired' THEN '' ELSE closed.request END,
               moderation_ban_terms(closed.expires_at, closed.reason, closed.tell_reason)
          FROM closed
         WHERE closed.outcome <> 'replaced'
         ORDER BY closed.outcome, closed.id
        RETURNING id
    )
    SELECT array_agg(closed.user_id::text ORDER BY closed.id),
           array_agg(closed.outcome::text ORDER BY closed.id),
           array_agg(
               moderation_ban_terms(closed.expires_at, closed.reason, closed.tell_reason)
               ORDER BY closed.id
           ),
           array_agg(closed.banned_since ORDER BY closed.id),
           (SELECT array_agg(line.id) FROM line)
      INTO closed_ids, closed_as, closed_terms, closed_sinces, recorded
      FROM closed;

    IF lifting THEN
        RETURN;
    END IF;

    WITH given AS (
        SELECT given.*, before.terms, before.since AS went_on
          FROM unnest(user_ids, moments, addresses, requests, ends, reasons, told, sinces)
               WITH ORDINALITY AS given (
                   user_id, at_moment, address, request, expires_at, reason, tell_reason, since,
                   place
               )
          LEFT JOIN unnest(closed_ids, closed_as, closed_terms, closed_sinces)
               AS before (user_id, outcome, terms, since)
            ON before.user_id = given.user_id AND before.outcome = 'replaced'
    ), made AS (
        INSERT INTO moderation_ban (
            environment_id, user_id, reason, tell_reason, imposed_at, imposed_by, imposed_via,
            banned_since, expires_at, closed_by, closed_via, outcome
        )
        SELECT of_environment, given.user_id, given.reason, given.tell_reason, given.at_moment,
               by_name, by_via, coalesce(given.went_on, given.since, given.at_moment),
               given.expires_at, '', '', ''
          FROM given ORDER BY given.place
        RETURNING id, user_id, banned_since
    ), line AS (
        INSERT INTO applications_auditevent (
            at, type, application_id, environment_id, subject, actor_kind, actor, via, address,
            request_id, before, after
        )
        SELECT given.at_moment,
               CASE WHEN given.terms IS NULL THEN 'ban.imposed' ELSE 'ban.changed' END,
               of_application, of_environment, given.user_id, by_kind, by_name, by_via,
               given.address, given.request, given.terms,
               moderation_ban_terms(given.expires_at, given.reason, given.tell_reason)
          FROM given ORDER BY given.terms IS NOT NULL, given.place
        RETURNING id
    )
    SELECT array_agg(made.id), array_agg(made.user_id::text), array_agg(made.banned_since),
           (SELECT array_agg(line.id) FROM line)
      INTO made_lives, made_ids, made_sinces, further
      FROM made;
    recorded := recorded || further;

    -- In the order of their keys, as whoever strikes connections out locks them.
    PERFORM FROM users_connection AS held
      WHERE held.environment_id = of_environment AND held.user_id = ANY (user_ids)
        AND held.kicked_at IS NULL
      ORDER BY held.id FOR UPDATE;
    IF FOUND THEN
        WITH kicked AS (
            UPDATE users_connection AS held
               SET kicked_at = given.at_moment, kick_reason = 'banned', kick_until = given.expires_at,
                   kick_why = CASE WHEN given.tell_reason THEN given.reason ELSE '' END
              FROM unnest(user_ids, moments, ends, reasons, told)
                   AS given (user_id, at_moment, expires_at, reason, tell_reason)
             WHERE held.environment_id = of_environment AND held.user_id = ANY (user_ids)
               AND held.kicked_at IS NULL AND held.user_id = given.user_id
            RETURNING held.id, held.user_id
        )
        SELECT array_agg(kicked.id ORDER BY kicked.id),
               array_agg(kicked.user_id::text ORDER BY kicked.id)
          INTO kicked_lives, kicked_ids
          FROM kicked;
    END IF;
END $$;

COMMENT ON FUNCTION moderation_decide(
    bigint, bigint, boolean, boolean, text, text, text,
    text[], timestamptz[], inet[], text[], timestamptz[], text[], boolean[], timestamptz[]
) IS
'The law of bans: each of these ids (given once) is banned on these terms, or with lifting is banned
no more. All or none, and says how it went.

- Each id is held (users_lock) from the first question to the last row, as whoever registers,
  deactivates or deletes it, or lets it in, holds it.
- An open ban is closed once: as expired where time has ended it, in the name of the sweep, and else
  as replaced or lifted. A ban that replaces another goes on from when that one began, a further one
  from its since, or from now.
- Calls of one caller may share this one: each id has its own moment, address and request.
- Each change has its audit line; whoever is banned is asked to leave, with the end and, where it is
  to be told, the reason.
- Where a webhook listens (heard), its deliveries belong into the same transaction: outside of one
  that lasts longer than this call nothing is done, and decided is false.

made_, closed_ and kicked_ arrays go together by their places; recorded are the audit lines.';
"""

BACK = """
DROP FUNCTION moderation_decide(
    bigint, bigint, boolean, boolean, text, text, text,
    text[], timestamptz[], inet[], text[], timestamptz[], text[], boolean[], timestamptz[]
)
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0006_ban_terms_comment")]

    operations = [migrations.RunSQL(DECIDE, BACK)]
