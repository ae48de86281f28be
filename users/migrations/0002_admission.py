import django.db.models
from django.db import migrations

LOCK = """
CREATE FUNCTION users_lock_key(environment bigint, user_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(environment::text || ':' || lower(user_id), 0);

COMMENT ON FUNCTION users_lock_key IS
'By which number one id in one environment is locked, in whatever case it is written. Of two ids that
share a number, one waits for the other without need; nothing worse.';

CREATE FUNCTION users_lock(of_environment bigint, user_ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(sorted.key) FROM (
        SELECT users_lock_key(of_environment, user_id) AS key
          FROM unnest(user_ids) AS user_id ORDER BY 1
    ) AS sorted;
END $$;

COMMENT ON FUNCTION users_lock IS
'Waits until no other transaction works on any of these ids, and holds them until this one ends.
Sorted, so that two callers cannot wait for each other.';
"""

ADMIT = """
CREATE FUNCTION users_admit(
    of_environment bigint,
    limits jsonb,
    in_transaction boolean,
    renew boolean,
    leave_out_deactivated boolean,
    user_ids text[],
    uuids uuid[],
    names text[],
    avatar_urls text[],
    passwords text[],
    registered_at timestamptz[],
    last_seen_at timestamptz[],
    OUT admitted boolean,
    OUT new_ids text[],
    OUT new_lives bigint[],
    OUT known_ids text[],
    OUT known_lives bigint[],
    OUT deactivated text[],
    OUT seats integer,
    OUT used integer
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
    wanted integer := cardinality(user_ids);
    changed integer;
BEGIN
    admitted := true;

    -- Who is known and brings nothing new takes no place, and nobody waits for anybody.
    SELECT array_agg(held.user_id::text), array_agg(held.id),
           count(*) FILTER (WHERE renew AND (given.name <> held.name OR given.avatar_url <> held.avatar_url))
      INTO known_ids, known_lives, changed
      FROM unnest(user_ids, names, avatar_urls) AS given (user_id, name, avatar_url)
      JOIN users_appuser AS held
        ON held.environment_id = of_environment AND held.user_id = given.user_id;
    IF cardinality(known_ids) = wanted AND changed = 0 THEN
        RETURN;
    END IF;

    -- The quota's lock comes before the ids', here and everywhere: two orders would deadlock. The
    -- plan is read again under it, for it may just have been changed.
    SELECT (limits ->> plan)::integer INTO seats
      FROM applications_environment WHERE id = of_environment;
    IF seats IS NOT NULL THEN
        IF NOT in_transaction THEN
            admitted := false;
            RETURN;
        END IF;
        SELECT (limits ->> plan)::integer INTO seats
          FROM applications_environment WHERE id = of_environment FOR NO KEY UPDATE;
    END IF;
    PERFORM users_lock(of_environment, user_ids);

    -- Each statement from here on sees what the locks have waited for.
    SELECT array_agg(gone.user_id::text) INTO deactivated
      FROM unnest(user_ids) AS given (user_id)
      JOIN users_deactivateduser AS gone
        ON gone.environment_id = of_environment AND gone.user_id = given.user_id;
    IF deactivated IS NOT NULL AND NOT leave_out_deactivated THEN
        admitted := false;
        RETURN;
    END IF;

    IF seats IS NOT NULL THEN
        SELECT count(*) INTO used FROM (
            SELECT FROM users_appuser WHERE environment_id = of_environment LIMIT seats + 1
        ) AS held;
        SELECT count(*) INTO wanted
          FROM unnest(user_ids) AS given (user_id)
         WHERE given.user_id <> ALL (coalesce(deactivated, '{}'))
           AND NOT EXISTS (
               SELECT FROM users_appuser AS held
                WHERE held.environment_id = of_environment AND held.user_id = given.user_id
           );
        IF wanted > 0 AND used + wanted > seats THEN
            admitted := false;
            RETURN;
        END IF;
    END IF;

    WITH fresh AS (
        INSERT INTO users_appuser AS made (
            environment_id, user_id, uuid, name, avatar_url, password, registered_at, last_seen_at
        )
        SELECT of_environment, given.user_id, given.uuid, coalesce(given.name, ''),
               coalesce(given.avatar_url, ''), given.password, given.registered_at, given.last_seen_at
          FROM unnest(
              user_ids, uuids, names, avatar_urls, passwords, registered_at, last_seen_at
          ) AS given (user_id, uuid, name, avatar_url, password, registered_at, last_seen_at)
         WHERE given.user_id <> ALL (coalesce(deactivated, '{}'))
            ON CONFLICT (environment_id, user_id) DO NOTHING
        RETURNING made.id, made.user_id, made.registered_at
    ), tallied AS (
        -- A session has a row of its own, or all registrars would queue for one. Ordered, so that
        -- two sessions that share one cannot wait for each other.
        INSERT INTO users_registrationtally AS tally (environment_id, day, shard, count)
        SELECT of_environment, (fresh.registered_at AT TIME ZONE 'UTC')::date,
               pg_backend_pid() % 64, count(*)
          FROM fresh GROUP BY 2 ORDER BY 2
            ON CONFLICT (environment_id, day, shard)
            DO UPDATE SET count = tally.count + excluded.count
    )
    SELECT array_agg(fresh.user_id::text), array_agg(fresh.id) INTO new_ids, new_lives FROM fresh;

    IF coalesce(cardinality(new_ids), 0) < cardinality(user_ids) THEN
        IF renew THEN
            UPDATE users_appuser AS held
               SET name = coalesce(given.name, held.name),
                   avatar_url = coalesce(given.avatar_url, held.avatar_url)
              FROM unnest(user_ids, names, avatar_urls) AS given (user_id, name, avatar_url)
             WHERE held.environment_id = of_environment AND held.user_id = given.user_id
               AND (given.name <> held.name OR given.avatar_url <> held.avatar_url);
        END IF;
        SELECT array_agg(held.user_id::text), array_agg(held.id) INTO known_ids, known_lives
          FROM unnest(user_ids) AS given (user_id)
          JOIN users_appuser AS held
            ON held.environment_id = of_environment AND held.user_id = given.user_id
         WHERE held.user_id <> ALL (coalesce(new_ids, '{}'));
    END IF;
END $$;

COMMENT ON FUNCTION users_admit IS
'The law of admission: registers those of these ids (each given once) that are not registered, all or
none, and says how it went.

- Who is known takes no new place. With renew they get the name and the avatar that are given (NULL:
  not given), without it they are left alone.
- A deactivated id stays out: nobody is admitted and deactivated names it, or with
  leave_out_deactivated the others are.
- An environment whose plan is among limits (plan to number of users) never holds more than that:
  its row is held, and nobody is admitted where used + the new ones would be more than seats. Only
  there anybody waits for it. Outside of a transaction that lasts longer than this call, such an
  environment admits nobody and used is NULL: what it leaves in the audit trail belongs into one.
- Each id is held (users_lock) from the questions to the row, as whoever deactivates, deletes or bans
  holds it.
- Each registration counts in its day.

admitted is false where nothing was changed. new_ids with new_lives, and known_ids with known_lives,
are in no order.';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0001_initial"),
        ("applications", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="appuser",
            name="friend_permission",
            field=django.db.models.PositiveSmallIntegerField(
                choices=[(1, "Anyone"), (2, "after approval"), (3, "Nobody")],
                db_default=1,
                default=1,
            ),
        ),
        migrations.AlterField(
            model_name="appuser",
            name="push_settings",
            field=django.db.models.JSONField(
                blank=True,
                db_default=django.db.models.Value({}, django.db.models.JSONField()),
                default=dict,
            ),
        ),
        migrations.RunSQL(
            LOCK, "DROP FUNCTION users_lock; DROP FUNCTION users_lock_key;"
        ),
        migrations.RunSQL(ADMIT, "DROP FUNCTION users_admit"),
    ]
