"""Queues: in which order, and how often, messages are tried."""

from django.db import models

from rules.querysets import QueueQuerySet
from thingsboard.kernel.models import Entity


class Queue(Entity):
    """ThingsBoard's queue entity, of the whole system. Profiles and nodes name one; what it says of Kafka (topic,
    partitions, polling) is kept for clients that show it and means nothing here.
    """

    name = models.CharField(max_length=64, unique=True)
    topic = models.CharField(max_length=255)
    poll_interval = models.IntegerField(default=25, help_text="Milliseconds.")
    partitions = models.IntegerField(default=10)
    consumer_per_partition = models.BooleanField(default=True)
    pack_processing_timeout = models.BigIntegerField(default=2000, help_text="Milliseconds.")
    submit_strategy = models.JSONField(default=dict, help_text="{type, batchSize}")
    processing_strategy = models.JSONField(
        default=dict,
        help_text="{type, retries, failurePercentage, pauseBetweenRetries: s, maxPauseBetweenRetries: s}",
    )
    additional_info = models.JSONField(null=True, blank=True)

    objects = QueueQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
