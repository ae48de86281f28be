from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

# Which users have this text in their names? (`users.search`) Users without a name are not in it, so
# a registration without a name pays nothing.
INDEX = """
CREATE INDEX users_by_name ON users_appuser USING gin (upper(name) gin_trgm_ops) WHERE name <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0009_notices")]

    operations = [
        # PostgreSQL trusts it: whoever may create tables in the database may create it.
        TrigramExtension(),
        migrations.RunSQL(INDEX, "DROP INDEX users_by_name"),
    ]
