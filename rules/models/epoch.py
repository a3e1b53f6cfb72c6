"""The epoch of ingest plans."""

from django.db import models


class PlanEpoch(models.Model):
    """One row, raised by everything that may change what happens to a device's messages (architecture.md 4).

    Whoever planned by an older epoch plans again before it commits.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="plan_epoch_one_row")]

    def __str__(self) -> str:
        return str(self.epoch)
