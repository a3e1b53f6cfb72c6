"""PostgreSQL, Valkey, Channels and Celery: where they are and how they are used."""

from thingsboard.embedded.addresses import database_url, redis_url

from . import env
from .database import connection_settings
from .platform import TB_DATA_DIR

DATABASE_URL = env.text("DATABASE_URL") or database_url(TB_DATA_DIR)
REDIS_URL = env.text("REDIS_URL") or redis_url(TB_DATA_DIR)

DATABASES = {"default": connection_settings(DATABASE_URL)}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "tb:layer"},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
