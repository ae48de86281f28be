"""The Celery application: `celery -A rollcall worker`, `celery -A rollcall beat`."""

import os

from celery import Celery

from rollcall import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")

broker.use()
app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
