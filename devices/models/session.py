"""Who holds the session of a device: one row a device, whichever process of whichever transport it is connected to.

Written by devices/services/sessions.py alone, outside the ORM. Nothing refers to these tables and they refer to nothing: a
foreign key would make one deleted device fail the claims of all that connect with it.
"""

from django.db import models


class TransportNode(models.Model):
    """A running process that holds sessions. Past its lease it counts as gone; all times are the database's."""

    id = models.UUIDField(primary_key=True)
    started = models.DateTimeField()
    lease = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class DeviceSession(models.Model):
    """The newest session of a device. `node` is null after its end; `epoch` only ever rises.

    `stamp` is the last time stamp (ms) that an ended session gave. `former...` is who held it before the last claim.
    """

    device_id = models.UUIDField(primary_key=True)
    node = models.UUIDField(null=True)
    epoch = models.BigIntegerField()
    connected = models.DateTimeField()
    stamp = models.BigIntegerField()
    former = models.UUIDField(null=True)
    former_epoch = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.device_id} #{self.epoch}"


class SessionTakeover(models.Model):
    """A session that another node took from `node`, until that one has let go of it: then `stamp` (ms) is its last one."""

    pk = models.CompositePrimaryKey("device_id", "epoch")
    device_id = models.UUIDField()
    epoch = models.BigIntegerField()
    node = models.UUIDField()
    stamp = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["node"], condition=models.Q(stamp=None), name="session_takeover_open")]

    def __str__(self) -> str:
        return f"{self.device_id} #{self.epoch}"
