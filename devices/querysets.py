"""Reads of devices, assets, profiles, credentials, views, relations and commands, and of what was refused."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from telemetry.models import AttributeKv, Key
from telemetry.points import Scope
from tenants.access import is_system, shared_with, takes_shares, tenant_scope
from thingsboard.kernel.entities import Action, registered
from thingsboard.kernel.ids import EntityId


def _profile_scope(user: Any, action: Action) -> Q:
    """Everybody in the tenant sees its profiles (a customer user needs their names and images); administrators change
    them.
    """
    if action is Action.VIEW and getattr(user, "authority", None) == "CUSTOMER_USER" and user.is_active:
        return Q(tenant_id=user.tenant_id)
    return tenant_scope(user)


class DeviceProfileQuerySet(models.QuerySet[Any]):
    """Device profiles."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Those of the tenant, for everybody in it."""
        return self.filter(_profile_scope(user, action))


class AssetProfileQuerySet(models.QuerySet[Any]):
    """Asset profiles."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Those of the tenant, for everybody in it."""
        return self.filter(_profile_scope(user, action))


class AssetQuerySet(models.QuerySet[Any]):
    """Assets."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, customer users those assigned to their customer."""
        return self.filter(tenant_scope(user, customer="customer_id"))

    def of_profile(self, profile: Any) -> Self:
        """Assets of that profile."""
        return self.filter(profile=profile)


class EntityViewQuerySet(models.QuerySet[Any]):
    """Entity views."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, customer users those assigned to their customer."""
        return self.filter(tenant_scope(user, customer="customer_id"))

    def of_entity(self, entity: EntityId) -> Self:
        """Views of that device or asset."""
        return self.filter(entity_type=entity.type.value, entity_id=entity.id)


class DeviceQuerySet(models.QuerySet[Any]):
    """Devices."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's devices, customer users those assigned to their customer or shared
        with them: each by itself, or in a group.
        """
        own = tenant_scope(user, customer="customer_id")
        if not takes_shares(user, action):
            return self.filter(own)
        membership = self.model._meta.get_field("groups")
        groups = shared_with(user, action, membership.related_model)
        in_groups = membership.through.objects.filter(devicegroup__in=groups).values("device")
        return self.filter(own | Q(pk__in=shared_with(user, action, self.model)) | Q(pk__in=in_groups))

    def with_activity(self) -> Self:
        """Annotated with `active`: the server attribute of that name, False where there is none."""
        keys = Key.objects.filter(name="active").values("id")
        said = AttributeKv.objects.filter(entity_id=OuterRef("pk"), scope=Scope.SERVER, key_id__in=keys, bool_v=True)
        return self.annotate(active=Exists(said))

    def of_profile(self, profile: Any) -> Self:
        """Devices of that profile."""
        return self.filter(profile=profile)


class DeviceCredentialsQuerySet(models.QuerySet[Any]):
    """Device credentials."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Whose device it is, administrators and the users of its customer, sees its credentials, as in ThingsBoard. Whom
        it is merely shared with does not: who has the token is the device.
        """
        return self.filter(tenant_scope(user, tenant="device__tenant_id", customer="device__customer_id"))


class DeviceGroupQuerySet(models.QuerySet[Any]):
    """Groups of devices."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's groups, customer users those that are shared with them."""
        own = tenant_scope(user)
        if takes_shares(user, action):
            own |= Q(pk__in=shared_with(user, action, self.model))
        return self.filter(own)


class RefusalQuerySet(models.QuerySet[Any]):
    """What was refused."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, customer users those of their customer's devices (who merely shares
        a device learns nothing of its credentials), system administrators what belongs to no tenant.
        """
        if is_system(user):
            return self.filter(tenant__isnull=True)
        return self.filter(tenant_scope(user, customer="device__customer_id"))

    def of_token(self, lookup: bytes, tenant_id: uuid.UUID) -> Self:
        """What became of whoever brought the token with this lookup: nobody's, and the tenant's own.

        Who knows the whole token may ask; what belongs to another tenant stays there all the same.
        """
        return self.filter(Q(tenant__isnull=True) | Q(tenant_id=tenant_id), lookup=lookup)


class EntityRelationQuerySet(models.QuerySet[Any]):
    """Relations. They come in the order in which they were made, where none is said."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, customer users those of which they see (or control, ...) both ends."""
        if user is None or not getattr(user, "is_active", False) or user.authority != "CUSTOMER_USER":
            return self.filter(tenant_scope(user))
        ends = {"from": Q(pk__in=[]), "to": Q(pk__in=[])}
        for kind, door in registered().items():
            rows: Any = door.model._default_manager.all()
            seen = rows.visible_to(user, action).values("pk")
            for end in ends:
                ends[end] |= Q(**{f"{end}_type": kind.value, f"{end}_id__in": seen})
        return self.filter(ends["from"], ends["to"], tenant_id=user.tenant_id)

    def out_of(self, entity: EntityId) -> Self:
        """Those that start at the entity."""
        return self.filter(from_type=entity.type.value, from_id=entity.id)

    def into(self, entity: EntityId) -> Self:
        """Those that end at the entity."""
        return self.filter(to_type=entity.type.value, to_id=entity.id)

    def at(self, entity: EntityId) -> Self:
        """Those that start or end at the entity."""
        start = Q(from_type=entity.type.value, from_id=entity.id)
        return self.filter(start | Q(to_type=entity.type.value, to_id=entity.id))


class RpcQuerySet(models.QuerySet[Any]):
    """Persistent RPCs."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Who may control a device sees what it was told; administrators alone delete it (compat/rest.tsv)."""
        devices: Any = self.model._meta.get_field("device").related_model._default_manager.all()
        if action is Action.MANAGE:
            return self.filter(tenant_scope(user))
        return self.filter(device__in=devices.visible_to(user, Action.CONTROL).values("pk"))
