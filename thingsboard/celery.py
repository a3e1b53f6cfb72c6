"""The Celery application: `celery -A thingsboard worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")

app = Celery("thingsboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
