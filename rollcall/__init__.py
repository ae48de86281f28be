"""The project: settings, URLs, servers, Celery, the stores that come as wheels, the processes and
the command line. It composes all that lies below; nothing below imports it.
"""

from rollcall.celery import app as celery_app

__all__ = ["celery_app"]
