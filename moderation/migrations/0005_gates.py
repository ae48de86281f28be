from django.db import migrations

CONNECT = """
CREATE FUNCTION moderation_may_connect(
    of_environment bigint, of_user text, at_moment timestamptz
)
RETURNS TABLE (rule text, until timestamptz, why text)
LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN ban.id IS NOT NULL THEN 'banned'
               WHEN EXISTS (
                   SELECT FROM users_appuser AS held
                    WHERE held.environment_id = of_environment AND held.user_id = of_user
               ) THEN 'registered'
               WHEN EXISTS (
                   SELECT FROM users_deactivateduser AS gone
                    WHERE gone.environment_id = of_environment AND gone.user_id = of_user
               ) THEN 'deactivated'
               ELSE 'not_registered'
           END,
           ban.expires_at,
           CASE WHEN ban.tell_reason THEN ban.reason::text ELSE '' END
      FROM (VALUES (1)) AS one
      LEFT JOIN moderation_ban AS ban
        ON ban.environment_id = of_environment AND ban.user_id = of_user
       AND ban.closed_at IS NULL AND ban.ends_at > at_moment
$$;

COMMENT ON FUNCTION moderation_may_connect IS
'Whether a user with a valid token may connect. One row. rule is a moderation.gates.ConnectRule; the
user may connect if it is registered. until is the end of the ban, NULL if it is permanent; why is its
reason if staff chose to tell it.';
"""

MESSAGE = """
CREATE FUNCTION moderation_may_message(
    of_environment bigint, sender text, recipient text, at_moment timestamptz, most_waiting integer
)
RETURNS TABLE (rule text, until timestamptz, why text)
LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN connect.rule <> 'registered' THEN connect.rule
               WHEN NOT EXISTS (
                   SELECT FROM users_appuser AS held
                    WHERE held.environment_id = of_environment AND held.user_id = recipient
               ) THEN CASE
                   WHEN EXISTS (
                       SELECT FROM users_deactivateduser AS gone
                        WHERE gone.environment_id = of_environment AND gone.user_id = recipient
                   ) THEN 'recipient_deactivated'
                   ELSE 'unknown_user'
               END
               WHEN mute.id IS NOT NULL THEN 'muted'
               WHEN environment.friends_only AND NOT EXISTS (
                   SELECT FROM users_friendship AS friend
                    WHERE friend.environment_id = of_environment
                      AND friend.owner_id = recipient AND friend.friend_id = sender
               ) THEN 'not_friends'
               WHEN switched.id IS NULL AND EXISTS (
                   SELECT FROM moderation_blocklistentry AS entry
                    WHERE entry.environment_id = of_environment
                      AND entry.owner_id = recipient AND entry.listed_id = sender
               ) THEN 'blocked'
               WHEN switched.id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM moderation_allowlistentry AS entry
                    WHERE entry.environment_id = of_environment
                      AND entry.owner_id = recipient AND entry.listed_id = sender
               ) THEN 'not_on_allowlist'
               WHEN switched.id IS NOT NULL AND EXISTS (
                   SELECT FROM moderation_allowlistswitch AS own
                    WHERE own.environment_id = of_environment AND own.owner_id = sender
               ) AND NOT EXISTS (
                   SELECT FROM moderation_allowlistentry AS entry
                    WHERE entry.environment_id = of_environment
                      AND entry.owner_id = sender AND entry.listed_id = recipient
               ) THEN 'not_on_own_allowlist'
               WHEN EXISTS (
                   SELECT FROM users_message AS message
                    WHERE message.environment_id = of_environment
                      AND message.recipient_id = recipient AND message.delivered_at IS NULL
                   OFFSET most_waiting - 1
               ) THEN 'mailbox_full'
               WHEN switched.id IS NOT NULL THEN 'on_allowlist'
               ELSE 'open'
           END,
           CASE WHEN connect.rule <> 'registered' THEN connect.until ELSE mute.expires_at END,
           connect.why
      FROM moderation_may_connect(of_environment, sender, at_moment) AS connect
      JOIN applications_environment AS environment ON environment.id = of_environment
      LEFT JOIN moderation_mute AS mute
        ON mute.environment_id = of_environment AND mute.user_id = sender
       AND mute.channel = 'direct' AND (mute.expires_at IS NULL OR mute.expires_at > at_moment)
      LEFT JOIN moderation_allowlistswitch AS switched
        ON switched.environment_id = of_environment AND switched.owner_id = recipient
$$;

COMMENT ON FUNCTION moderation_may_message IS
'Whether sender may write to recipient. One row. rule is a moderation.gates.ConnectRule if the sender
may not connect, otherwise a MessageRule; the message is allowed if it is open or on_allowlist. until and
why belong to a ban or a mute. A mailbox is full if most_waiting messages wait in it.';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0004_decide"),
        ("users", "0008_cheap_spelling"),
        ("applications", "0005_environments_ignoring_case"),
    ]

    operations = [
        migrations.RunSQL(CONNECT, "DROP FUNCTION moderation_may_connect"),
        migrations.RunSQL(MESSAGE, "DROP FUNCTION moderation_may_message"),
    ]
