from django.db import migrations

REFUSE = """
CREATE FUNCTION applications_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

COMMENT ON FUNCTION applications_refuse_change IS
'Law 33: what is recorded is not changed and not removed, whoever asks.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON applications_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION applications_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON applications_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION applications_refuse_change();
"""
ALLOW = """
DROP TRIGGER append_only ON applications_auditevent;
DROP TRIGGER append_only ON applications_auditseal;
DROP FUNCTION applications_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0006_audit_seals"),
    ]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
