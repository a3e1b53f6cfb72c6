"""The tables of measured values. Keyed by plain entity UUIDs: telemetry lies below devices and knows none of them.

They are managed in Django's migration state (so that tests flush them); the DDL itself is in migrations/0001 and
`telemetry.store.schema`. Hot paths do not use these classes.
"""

from django.db import models

from telemetry.querysets import ErasureQuerySet


class Key(models.Model):
    """The dictionary of key names."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=255, unique=True)

    class Meta:
        db_table = "ts_key"

    def __str__(self) -> str:
        return self.name


class TenantKey(models.Model):
    """Which tenant uses which key: what the limit of keys per tenant counts."""

    pk = models.CompositePrimaryKey("tenant_id", "key_id")
    tenant_id = models.UUIDField()
    key_id = models.IntegerField()

    class Meta:
        db_table = "ts_tenant_key"

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.key_id}"


class TypedValue(models.Model):
    """Exactly one of five columns holds the value (compat/data_model.md 14)."""

    bool_v = models.BooleanField(null=True)
    long_v = models.BigIntegerField(null=True)
    dbl_v = models.FloatField(null=True)
    str_v = models.TextField(null=True)
    json_v = models.TextField(null=True)

    class Meta:
        abstract = True


class TsKv(TypedValue):
    """History: one row a point."""

    pk = models.CompositePrimaryKey("entity_id", "key_id", "ts")
    entity_id = models.UUIDField()
    key_id = models.IntegerField()
    ts = models.BigIntegerField(help_text="Milliseconds since 1970.")

    class Meta:
        db_table = "ts_kv"

    def __str__(self) -> str:
        return f"{self.entity_id} {self.key_id} @{self.ts}"


class TsLatest(TypedValue):
    """The newest point of each series."""

    pk = models.CompositePrimaryKey("entity_id", "key_id")
    entity_id = models.UUIDField()
    key_id = models.IntegerField()
    ts = models.BigIntegerField(help_text="Milliseconds since 1970.")

    class Meta:
        db_table = "ts_latest"

    def __str__(self) -> str:
        return f"{self.entity_id} {self.key_id} @{self.ts}"


class AttributeKv(TypedValue):
    """The attributes of an entity in three scopes."""

    pk = models.CompositePrimaryKey("entity_id", "scope", "key_id")
    entity_id = models.UUIDField()
    scope = models.SmallIntegerField(help_text="1 client, 2 server, 3 shared.")
    key_id = models.IntegerField()
    last_update_ts = models.BigIntegerField(help_text="Milliseconds since 1970.")

    class Meta:
        db_table = "attribute_kv"

    def __str__(self) -> str:
        return f"{self.entity_id} {self.scope} {self.key_id}"


class Erasure(models.Model):
    """What is to be removed of an entity that was deleted: written with its deletion, see `telemetry.erasure`."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    entity_type = models.CharField(max_length=32)
    entity_id = models.UUIDField(unique=True)
    requested_ms = models.BigIntegerField(help_text="Milliseconds since 1970.")
    due_ms = models.BigIntegerField(help_text="When the next pass over the tables may begin.")
    passes = models.SmallIntegerField(default=0, help_text="Passes that are complete.")
    deleted_rows = models.BigIntegerField(default=0, help_text="Points, latest values and attributes removed so far.")
    error = models.TextField(blank=True, default="", help_text="Why the last attempt failed; empty when it did not.")
    done_ms = models.BigIntegerField(null=True, blank=True)

    objects = ErasureQuerySet.as_manager()

    class Meta:
        db_table = "telemetry_erasure"
        indexes = [
            models.Index(fields=["due_ms"], name="telemetry_erasure_due", condition=models.Q(done_ms=None)),
            models.Index(fields=["tenant_id", "-id"], name="telemetry_erasure_tenant"),
            models.Index(fields=["done_ms"], name="telemetry_erasure_done"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.entity_id}"

    @property
    def state(self) -> str:
        """ERASING until everything is gone that was known, SETTLING while late arrivals are waited for, DONE."""
        if self.done_ms is not None:
            return "DONE"
        return "SETTLING" if self.passes else "ERASING"
