"""The project: settings, URLs, servers, Celery, the stores from wheels, the processes and the
commands. It is the top layer: no other layer imports it.
"""

from rollcall.celery import app as celery_app

__all__ = ["celery_app"]
