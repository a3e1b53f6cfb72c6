"""Devices and assets, their profiles, credentials, relations, views and commands."""

from django.apps import AppConfig

from thingsboard.kernel.entities import before_delete, register
from thingsboard.kernel.ids import EntityType


class DevicesConfig(AppConfig):
    """Devices and assets, their profiles, credentials, relations, views and commands."""

    name = "devices"

    def ready(self) -> None:
        """Open the kernel's door to our entities, give every new tenant its default profiles, and hear of a new
        inactivityTimeout.
        """
        from devices.models import Asset, AssetProfile, Device, DeviceProfile, EntityView
        from devices.services import activity, assets, assignments, entity_views, relations
        from devices.services.activity_rules import INACTIVITY_TIMEOUT
        from devices.services.asset_profiles import default_asset_profile
        from devices.services.devices import take_leave
        from devices.services.profiles import default_profile
        from telemetry.points import Scope
        from telemetry.services import watch_attribute
        from tenants.services.assignable import Assignable, make_assignable
        from tenants.services.tenants import equip_new_tenants

        def queue(thing: Asset | Device) -> str | None:
            return thing.profile.default_queue_name

        register(EntityType.DEVICE, Device, title="Device", queue=queue)
        register(EntityType.DEVICE_PROFILE, DeviceProfile, title="Device profile")
        register(EntityType.ASSET, Asset, title="Asset", queue=queue)
        register(EntityType.ASSET_PROFILE, AssetProfile, title="Asset profile")
        register(EntityType.ENTITY_VIEW, EntityView, title="Entity view")
        verbs = Assignable(assignments.keep_assigned, assignments.keep_unassigned)
        for kind in (EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW):
            make_assignable(kind, verbs)
        equip_new_tenants(default_profile)
        equip_new_tenants(default_asset_profile)
        for farewell in (take_leave, assets.take_leave, entity_views.take_leave, relations.take_leave):
            before_delete(farewell)
        watch_attribute(Scope.SERVER, INACTIVITY_TIMEOUT, activity.reconsider)
