"""Statistics of the tables that grow quickly, for PostgreSQL's planner.

The SQL functions of the gateway keep their plans. A plan that was made while a table was empty may
read all of it later. Autovacuum corrects this, but at most once a minute, and after a restart
thousands of clients come back within seconds.
"""

from django.db import connection

from applications.statements import Statement
from users.models import AppUser, Connection, Message

# Beyond this number of rows a plan stays the right one.
FEW = 1_000
# So many changes are worth a new plan.
CHANGED = 300

_OUTDATED = Statement(
    "SELECT relation.relname::text FROM pg_class AS relation "
    "JOIN pg_stat_user_tables AS activity ON activity.relid = relation.oid "
    "WHERE relation.oid = ANY(%s::regclass[]) AND relation.reltuples < %s "
    "AND activity.n_mod_since_analyze >= %s"
)
_TABLES = [model._meta.db_table for model in (AppUser, Connection, Message)]


def refresh() -> list[str]:
    """Analyse those of the tables that were almost empty when they were analysed last, and have
    grown; return them.
    """
    outdated = [table for (table,) in _OUTDATED.rows(_TABLES, FEW, CHANGED)]
    with connection.cursor() as cursor:
        for table in outdated:
            cursor.execute(f'ANALYZE "{table}"')
    return outdated
