from django.db import migrations

# As in the migration 0005_one_spelling, where nothing stands for {first}.
SPELLING = """
CREATE OR REPLACE FUNCTION users_refuse_another_case() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    refused text[];
BEGIN{first}
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
"""
# Looking into the inserted rows costs each registration an eighth of itself, this a fortieth; and
# in most installations nobody ignores case.
FIRST = """
    IF NOT EXISTS (SELECT FROM applications_environment WHERE ids_ignore_case) THEN
        RETURN NULL;
    END IF;"""


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0007_profile_fields"),
        ("applications", "0005_environments_ignoring_case"),
    ]

    operations = [
        migrations.RunSQL(SPELLING.replace("{first}", FIRST), SPELLING.replace("{first}", "")),
    ]
