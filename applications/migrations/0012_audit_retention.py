from django.db import migrations, models

OWNER_MAY_DROP = """
CREATE OR REPLACE FUNCTION applications_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       AND TG_TABLE_NAME <> 'applications_auditcut'
       AND current_setting('rollcall.audit_retention', true) = 'on'
       AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

COMMENT ON FUNCTION applications_refuse_change IS
'Law 33: what is recorded is not changed and not removed, whoever asks. Except that the owner of a
table, who could drop its triggers as well, may delete in a transaction that declares it: retention
does (applications.audit_retention). What goes without a statement under our key is found out.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON applications_auditcut
    FOR EACH STATEMENT EXECUTE FUNCTION applications_refuse_change();
"""
NOBODY_MAY = """
DROP TRIGGER append_only ON applications_auditcut;
CREATE OR REPLACE FUNCTION applications_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0011_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditCut",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                ("first_seal", models.BigIntegerField()),
                ("last_seal", models.BigIntegerField()),
                ("lines", models.BigIntegerField()),
                ("sealed_until", models.DateTimeField()),
                ("seal_before", models.CharField(max_length=64)),
                ("kept", models.DurationField()),
                ("key_hint", models.CharField(max_length=8)),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("mac", models.CharField(max_length=64)),
            ],
        ),
        migrations.RunSQL(OWNER_MAY_DROP, NOBODY_MAY),
    ]
