"""Rows that whoever changes an application or an environment holds until the transaction ends.

Invariant: what processes remember of callers is dropped when the change commits.
"""

from applications import callers
from applications.models import Application, Environment


def application(application: Application) -> Application:
    """Of whoever changes it."""
    callers.forget_changed()
    return Application.objects.select_for_update(no_key=True).get(pk=application.pk)


def environment(environment: Environment) -> Environment:
    """Of whoever changes it or its secrets."""
    callers.forget_changed()
    return Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
