from django.db import migrations

COMMENT = "COMMENT ON FUNCTION moderation_ban_terms IS 'What the audit trail says of a ban.'"


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0005_gates"),
    ]

    operations = [migrations.RunSQL(COMMENT, migrations.RunSQL.noop)]
