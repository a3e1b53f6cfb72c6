"""PostgreSQL, Valkey, Channels and Celery: where they are and how they are used."""

from thingsboard.embedded.addresses import celery_broker_url, database_url, redis_url

from . import env
from .database import connection_settings
from .platform import (
    TB_DATA_DIR,
    TB_DEVICE_INACTIVITY_CHECK_SECONDS,
    TB_EFFECT_SWEEP_SECONDS,
    TB_ERASURE_SECONDS,
    TB_RULE_SWEEP_SECONDS,
    TB_TIMER_SECONDS,
)

DATABASE_URL = env.text("DATABASE_URL") or database_url(TB_DATA_DIR)
REDIS_URL = env.text("REDIS_URL") or redis_url(TB_DATA_DIR)

DATABASES = {"default": connection_settings(DATABASE_URL)}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "thingsboard.kernel.layer.BoundedLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": 5, "health_check_interval": 5}],
            "prefix": "tb:layer",
        },
    }
}

# Which of the two `manage.py up` has to start itself.
EMBEDDED_POSTGRES = not env.text("DATABASE_URL")
EMBEDDED_VALKEY = not env.text("REDIS_URL")

CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "maintain-partitions": {"task": "telemetry.tasks.maintain_partitions", "schedule": 3600.0},
    "erase": {
        "task": "telemetry.tasks.erase",
        "schedule": TB_ERASURE_SECONDS,
        "options": {"expires": TB_ERASURE_SECONDS},  # a worker that was away has nothing to catch up with
    },
    "forget-refusals": {"task": "devices.tasks.forget_refusals", "schedule": 3600.0},
    "review-activity": {
        "task": "devices.tasks.review_activity",
        "schedule": TB_DEVICE_INACTIVITY_CHECK_SECONDS,
        # What was not begun in time is not made up for: the next one sees everything.
        "options": {"expires": TB_DEVICE_INACTIVITY_CHECK_SECONDS},
    },
    "sweep-queue": {
        "task": "rules.tasks.sweep",
        "schedule": TB_RULE_SWEEP_SECONDS,
        "options": {"queue": "rules", "expires": TB_RULE_SWEEP_SECONDS},
    },
    "fire-timers": {
        "task": "rules.tasks.fire_timers",
        "schedule": TB_TIMER_SECONDS,
        # Longer than the turn of a drain: workers that are busy with what came must still have go on what waited.
        "options": {"queue": "rules", "expires": 10 * max(1.0, TB_TIMER_SECONDS)},
    },
    "sweep-effects": {
        "task": "rules.tasks.work_outside",
        "schedule": TB_EFFECT_SWEEP_SECONDS,
        "options": {"queue": "effects", "expires": TB_EFFECT_SWEEP_SECONDS},
    },
    "trim-dead-letters": {
        "task": "rules.tasks.trim_dead_letters",
        "schedule": 60.0,
        "options": {"expires": 60.0},  # the next one sees everything
    },
    "end-traces": {"task": "rules.tasks.end_traces", "schedule": 60.0, "options": {"expires": 60.0}},
    "forget-rule-events": {"task": "rules.tasks.forget_events", "schedule": 300.0, "options": {"expires": 300.0}},
    "trim-audit-log": {"task": "tenants.tasks.trim_audit_log", "schedule": 3600.0},
    "forget-expired-sessions": {"task": "tenants.tasks.forget_expired_sessions", "schedule": 3600.0},
}
