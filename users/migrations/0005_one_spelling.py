import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION users_taken_in_another_case(of_environment bigint, user_ids text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
-- Every question is a look into an index, whatever statistics say of a table that was empty a
-- minute ago.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT given.user_id) FROM unnest(user_ids) AS given (user_id)
         WHERE EXISTS (
            SELECT FROM users_appuser AS held
             WHERE held.environment_id = of_environment
               AND lower(held.user_id) = lower(given.user_id COLLATE "C")
               AND held.user_id <> given.user_id
         ) OR EXISTS (
            SELECT FROM users_deactivateduser AS gone
             WHERE gone.environment_id = of_environment
               AND lower(gone.user_id) = lower(given.user_id COLLATE "C")
               AND gone.user_id <> given.user_id
         )
    );
END $$;

COMMENT ON FUNCTION users_taken_in_another_case IS
'Those of these ids of which another spelling, in upper and lower case, is registered or deactivated;
NULL for none.';

CREATE FUNCTION users_refuse_another_case() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    refused text[];
BEGIN
    IF NOT EXISTS (
        SELECT FROM applications_environment AS environment
         WHERE environment.ids_ignore_case
           AND environment.id IN (SELECT made.environment_id FROM made)
    ) THEN
        RETURN NULL;
    END IF;
    SELECT users_taken_in_another_case(made.environment_id, array_agg(made.user_id::text))
      INTO refused
      FROM made JOIN applications_environment AS environment ON environment.id = made.environment_id
     WHERE environment.ids_ignore_case
     GROUP BY made.environment_id
     ORDER BY 1 NULLS LAST LIMIT 1;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'Other spellings of these user ids are taken'
        USING ERRCODE = 'unique_violation', CONSTRAINT = 'users_appuser_one_spelling',
              DETAIL = to_json(refused)::text;
    END IF;
    RETURN NULL;
END $$;

COMMENT ON FUNCTION users_refuse_another_case IS
'Where an environment ignores case, no id is registered that differs from a registered or a
deactivated one in case alone. DETAIL lists those that were to be, as JSON. Who inserts holds the
lock of the ids, which all spellings of an id share, so that nobody else is inserting another.';

CREATE TRIGGER users_appuser_one_spelling
AFTER INSERT ON users_appuser REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION users_refuse_another_case();
"""

BACK = """
DROP TRIGGER users_appuser_one_spelling ON users_appuser;
DROP FUNCTION users_refuse_another_case;
DROP FUNCTION users_taken_in_another_case;
"""


class Migration(migrations.Migration):
    # An index over millions of users is built beside those who register.
    atomic = False

    dependencies = [
        ("users", "0004_statuses"),
        ("applications", "0004_environment_ids_ignore_case"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="appuser",
            index=models.Index(
                models.F("environment"),
                django.db.models.functions.text.Lower("user_id"),
                name="users_in_any_case",
            ),
        ),
        AddIndexConcurrently(
            model_name="deactivateduser",
            index=models.Index(
                models.F("environment"),
                django.db.models.functions.text.Lower("user_id"),
                name="users_deactivated_in_any_case",
            ),
        ),
        migrations.RunSQL(FUNCTIONS, BACK),
    ]
