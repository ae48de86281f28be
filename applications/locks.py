"""Row locks for changes of an application or an environment, held until the transaction ends.

Invariant: the cache of callers (`applications.callers`) is cleared when the change commits.
"""

from applications import callers
from applications.models import Application, Environment


def application(application: Application) -> Application:
    """Lock the application before a change."""
    callers.clear_on_commit()
    return Application.objects.select_for_update(no_key=True).get(pk=application.pk)


def environment(environment: Environment) -> Environment:
    """Lock the environment before a change of it or of its secrets."""
    callers.clear_on_commit()
    return Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
