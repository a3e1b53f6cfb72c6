"""Reads of devices, profiles and credentials, and of what was refused."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from telemetry.models import AttributeKv, Key
from telemetry.points import Scope
from tenants.access import is_system, shared_with, takes_shares, tenant_scope
from thingsboard.kernel.entities import Action


class DeviceProfileQuerySet(models.QuerySet[Any]):
    """Device profiles."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Everybody in the tenant sees its profiles (a customer user needs their names and images); administrators
        change them.
        """
        if action is Action.VIEW and getattr(user, "authority", None) == "CUSTOMER_USER" and user.is_active:
            return self.filter(Q(tenant_id=user.tenant_id))
        return self.filter(tenant_scope(user))


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
