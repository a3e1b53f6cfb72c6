"""What was done to what, by whom and from where."""

from django.db import models

from tenants.querysets import AuditLogQuerySet
from thingsboard.kernel.ids import new_id
from thingsboard.kernel.time import now_ms


class ActionType(models.TextChoices):
    """What can be done (compat/data_model.md 6: ThingsBoard's names, of those that exist here)."""

    ADDED = "ADDED"
    DELETED = "DELETED"
    UPDATED = "UPDATED"
    ATTRIBUTES_UPDATED = "ATTRIBUTES_UPDATED"
    ATTRIBUTES_DELETED = "ATTRIBUTES_DELETED"
    TIMESERIES_UPDATED = "TIMESERIES_UPDATED"
    TIMESERIES_DELETED = "TIMESERIES_DELETED"
    RPC_CALL = "RPC_CALL"
    CREDENTIALS_UPDATED = "CREDENTIALS_UPDATED"
    CREDENTIALS_READ = "CREDENTIALS_READ"
    ASSIGNED_TO_CUSTOMER = "ASSIGNED_TO_CUSTOMER"
    UNASSIGNED_FROM_CUSTOMER = "UNASSIGNED_FROM_CUSTOMER"
    RELATION_ADD_OR_UPDATE = "RELATION_ADD_OR_UPDATE"
    RELATION_DELETED = "RELATION_DELETED"
    RELATIONS_DELETED = "RELATIONS_DELETED"
    ALARM_ACK = "ALARM_ACK"
    ALARM_CLEAR = "ALARM_CLEAR"
    ALARM_DELETE = "ALARM_DELETE"
    ALARM_ASSIGNED = "ALARM_ASSIGNED"
    ALARM_UNASSIGNED = "ALARM_UNASSIGNED"
    SHARED = "SHARED"  # ours: ThingsBoard CE has no shares
    UNSHARED = "UNSHARED"
    ACTIVATED = "ACTIVATED"
    SUSPENDED = "SUSPENDED"
    LOGIN = "LOGIN"
    LOGOUT = "LOGOUT"
    LOCKOUT = "LOCKOUT"


class AuditLog(models.Model):
    """One deed. Names are kept beside ids, because users and entities may be deleted since.

    Nothing refers to other tables but the tenant's id, so that deleting something never deletes its history.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_time = models.BigIntegerField(default=now_ms, editable=False, help_text="Milliseconds since 1970.")
    tenant_id = models.UUIDField(null=True)
    customer_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    user_name = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="The remote address of the request.")
    entity_type = models.CharField(max_length=32)
    entity_id = models.UUIDField()
    entity_name = models.CharField(max_length=255, blank=True)
    action = models.CharField(max_length=32, choices=ActionType.choices)
    success = models.BooleanField(default=True)
    failure = models.CharField(max_length=1024, blank=True, help_text="Why it failed.")
    data = models.JSONField(default=dict, help_text="The members that changed: before and after.")

    objects = AuditLogQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant_id", "created_time"], name="audit_tenant_time"),
            models.Index(fields=["entity_id", "created_time"], name="audit_entity_time"),
            models.Index(fields=["user_id", "created_time"], name="audit_user_time"),
            models.Index(fields=["created_time"], name="audit_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"
