"""The verbs of devices, assets, their profiles and views, relations, and commands."""

from devices.models import Asset, AssetProfile, Device, DeviceProfile, EntityRelation, EntityView, Rpc, RpcStatus
from devices.services import asset_profiles, assets, assignments, devices, entity_views, profiles, relations, rpcs
from devices.services.assets import AssetFields
from devices.services.devices import DeviceFields
from devices.services.relations import RelationKey
from tests.devices.test_entity_views import of
from tests.verbs.world import HOUR, Verb, gone, made, now
from thingsboard.kernel.time import now_ms

OF_DEVICES: dict[str, Verb] = {
    "create device": Verb(
        lambda w: devices.create_device(w.tenant, DeviceFields(name="New")),
        ["ENTITY_CREATED DEVICE"],
        made(Device, name="New"),
    ),
    "create device with a new type": Verb(
        lambda w: devices.create_device(w.tenant, DeviceFields(name="New", type="pump")),
        ["ENTITY_CREATED DEVICE_PROFILE", "ENTITY_CREATED DEVICE"],
        made(Device, name="New", profile__name="pump"),
    ),
    "update device": Verb(
        lambda w: devices.update_device(w.device, DeviceFields(name="Old")),
        ["ENTITY_UPDATED DEVICE"],
        now("device", name="Old"),
    ),
    "delete device": Verb(
        lambda w: devices.delete_device(w.device),
        ["ENTITY_DELETED DEVICE"],
        gone("device"),
    ),
    "assign device": Verb(
        lambda w: assignments.assign(w.device, w.bistro),
        ["ENTITY_ASSIGNED DEVICE"],
        now("device", customer__title="Bistro"),
    ),
    "unassign device": Verb(
        lambda w: assignments.unassign(w.lent),
        ["ENTITY_UNASSIGNED DEVICE"],
        now("lent", customer=None),
    ),
    "publish device": Verb(
        lambda w: assignments.publish(w.device),
        ["ENTITY_CREATED CUSTOMER", "ENTITY_ASSIGNED DEVICE"],
        now("device", customer__title="Public"),
    ),
    "create profile": Verb(
        lambda w: profiles.create_profile(w.tenant, "new"),
        ["ENTITY_CREATED DEVICE_PROFILE"],
        made(DeviceProfile, name="new"),
    ),
    "update profile": Verb(
        lambda w: profiles.update_profile(w.profile, "tap"),
        ["ENTITY_UPDATED DEVICE_PROFILE"],
        now("profile", name="tap"),
    ),
    "delete profile": Verb(
        lambda w: profiles.delete_profile(w.profile),
        ["ENTITY_DELETED DEVICE_PROFILE"],
        gone("profile"),
    ),
    "set default profile": Verb(
        lambda w: profiles.set_default_profile(w.profile),
        ["ENTITY_UPDATED DEVICE_PROFILE", "ENTITY_UPDATED DEVICE_PROFILE"],
        now("profile", is_default=True),
    ),
    "create asset": Verb(
        lambda w: assets.create_asset(w.tenant, AssetFields(name="New")),
        ["ENTITY_CREATED ASSET"],
        made(Asset, name="New"),
    ),
    "create asset with a new type": Verb(
        lambda w: assets.create_asset(w.tenant, AssetFields(name="New", type="roof")),
        ["ENTITY_CREATED ASSET_PROFILE", "ENTITY_CREATED ASSET"],
        made(Asset, name="New", profile__name="roof"),
    ),
    "update asset": Verb(
        lambda w: assets.update_asset(w.asset, AssetFields(name="Old")),
        ["ENTITY_UPDATED ASSET"],
        now("asset", name="Old"),
    ),
    "delete asset": Verb(
        lambda w: assets.delete_asset(w.asset),
        ["ENTITY_DELETED ASSET"],
        gone("asset"),
    ),
    "assign asset": Verb(
        lambda w: assignments.assign(w.asset, w.bistro),
        ["ENTITY_ASSIGNED ASSET"],
        now("asset", customer__title="Bistro"),
    ),
    "create asset profile": Verb(
        lambda w: asset_profiles.create_asset_profile(w.tenant, "new"),
        ["ENTITY_CREATED ASSET_PROFILE"],
        made(AssetProfile, name="new"),
    ),
    "update asset profile": Verb(
        lambda w: asset_profiles.update_asset_profile(w.asset_profile, "belt"),
        ["ENTITY_UPDATED ASSET_PROFILE"],
        now("asset_profile", name="belt"),
    ),
    "delete asset profile": Verb(
        lambda w: asset_profiles.delete_asset_profile(w.asset_profile),
        ["ENTITY_DELETED ASSET_PROFILE"],
        gone("asset_profile"),
    ),
    "set default asset profile": Verb(
        lambda w: asset_profiles.set_default_asset_profile(w.asset_profile),
        ["ENTITY_UPDATED ASSET_PROFILE", "ENTITY_UPDATED ASSET_PROFILE"],
        now("asset_profile", is_default=True),
    ),
    "create view": Verb(
        lambda w: entity_views.create_view(w.tenant, of(w.device, "New")),
        ["ENTITY_CREATED ENTITY_VIEW"],
        made(EntityView, name="New"),
    ),
    "update view": Verb(
        lambda w: entity_views.update_view(w.view, of(w.device, "Old")),
        ["ENTITY_UPDATED ENTITY_VIEW"],
        now("view", name="Old"),
    ),
    "delete view": Verb(
        lambda w: entity_views.delete_view(w.view),
        ["ENTITY_DELETED ENTITY_VIEW"],
        gone("view"),
    ),
    "assign view": Verb(
        lambda w: assignments.assign(w.view, w.bistro),
        ["ENTITY_ASSIGNED ENTITY_VIEW"],
        now("view", customer__title="Bistro"),
    ),
    "save relation": Verb(
        lambda w: relations.save_relation(w.tenant, w.key),
        ["RELATION_ADD_OR_UPDATE ASSET", "RELATION_ADD_OR_UPDATE DEVICE"],
        made(EntityRelation, type="Contains"),
    ),
    "delete relation": Verb(
        lambda w: relations.delete_relation(w.tenant, RelationKey(w.ends[0], "Feeds", w.ends[1])),
        ["RELATION_DELETED ASSET", "RELATION_DELETED DEVICE"],
        gone("related"),
    ),
    "delete relations": Verb(
        lambda w: relations.delete_relations(w.tenant, w.ends[1]),
        ["RELATIONS_DELETED DEVICE"],
        gone("related"),
    ),
    "create rpc": Verb(
        lambda w: rpcs.create_rpc(w.device, {"method": "y"}, expiration_time=now_ms() + HOUR),
        ["RPC_QUEUED DEVICE"],
        made(Rpc, request={"method": "y"}),
    ),
    "change rpc": Verb(
        lambda w: rpcs.change_status(w.rpc.pk, RpcStatus.SENT),
        ["RPC_SENT DEVICE"],
        now("rpc", status=RpcStatus.SENT),
    ),
    "delete rpc": Verb(
        lambda w: rpcs.delete_rpc(w.rpc),
        ["RPC_DELETED DEVICE"],
        gone("rpc"),
    ),
}
