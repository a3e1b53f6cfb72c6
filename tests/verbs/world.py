"""One of everything that something can be done to, and what a verb is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import Model

from alarms.models import Alarm
from alarms.services.alarms import assign_alarm, create_or_update_alarm
from alarms.services.state import AlarmRequest
from dashboards.services import dashboards
from dashboards.services.dashboards import DashboardFields
from devices.services import asset_profiles, assets, assignments, devices, entity_views, profiles, relations, rpcs
from devices.services.assets import AssetFields
from devices.services.devices import DeviceFields
from devices.services.relations import RelationKey
from rules.models import RuleChain
from rules.nodes.action.log import Log
from rules.nodes.flow.output import Output
from rules.nodes.flow.rule_chain import RuleChain as RuleChainNode
from rules.services.chains import ChainFields, create_chain
from rules.services.draft import Connection, Draft, NodeDraft
from telemetry import services as telemetry
from telemetry.deeds import Target
from telemetry.points import Scope
from tenants.services.customers import create_customer
from tenants.services.users import create_user
from tests.cast import Cast
from tests.devices.test_entity_views import of
from tests.rules.letters import letter
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms

HOUR = 3_600_000


class World:
    """One of everything, made before anybody listens."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.device, self.bistro, self.bob = cast, cast.device, cast.bistro, cast.bob
        self.tenant, self.cafe = cast.acme.pk, create_customer(cast.acme, "Café")
        self.asset = assets.create_asset(self.tenant, AssetFields(name="Hall"))
        self.view = entity_views.create_view(self.tenant, of(self.device))
        self.profile = profiles.create_profile(self.tenant, "valve")
        self.asset_profile = asset_profiles.create_asset_profile(self.tenant, "line")
        self.lent = assignments.assign(devices.create_device(self.tenant, DeviceFields(name="Lent")), self.bistro)
        self.ends = EntityId(EntityType.ASSET, self.asset.pk), EntityId(EntityType.DEVICE, self.device.pk)
        self.key = RelationKey(self.ends[0], "Contains", self.ends[1])
        self.related = relations.save_relation(self.tenant, RelationKey(self.ends[0], "Feeds", self.ends[1]))
        self.rpc = rpcs.create_rpc(self.device, {"method": "x"}, expiration_time=now_ms() + HOUR)
        self.letter = letter(self.tenant, self.device.pk)
        self.dashboard = dashboards.create_dashboard(self.tenant, DashboardFields(title="Floor"))
        self.shown = dashboards.create_dashboard(self.tenant, DashboardFields(title="Shown"))
        dashboards.assign_dashboard(self.shown, self.bistro)
        self._values()
        self._alarms()
        self._chains()

    def _values(self) -> None:
        self.target = Target(self.tenant, self.ends[1], self.device)
        telemetry.save(self.tenant, self.device.pk, [(1000, {"t": 1})])
        telemetry.save_attributes(self.tenant, self.device.pk, Scope.SERVER, {"limit": 1})

    def _alarms(self) -> None:
        self.carol = create_user("carol@acme.example", self.cast.alice.authority, tenant=self.cast.acme)
        self.alarm, self.carols_alarm = (
            Alarm.objects.get(pk=create_or_update_alarm(self.problem(kind)).id) for kind in ("Hot", "Cold")
        )
        assign_alarm(self.carols_alarm, self.carol)
        self.carols_alarm.refresh_from_db()

    def _chains(self) -> None:
        self.output = NodeDraft(type=Output.TYPE, name="well")
        self.chain = self.new_chain("Inner", Draft((self.output,), 0))
        inner = {"ruleChainId": str(self.chain.pk)}
        calls = NodeDraft(type=RuleChainNode.TYPE, name="call", configuration=inner)
        logs = NodeDraft(type=Log.TYPE, name="log")
        self.outer = self.new_chain("Outer", Draft((calls, logs), 0, (Connection(0, 1, "well"),)))

    def new_chain(self, name: str, draft: Draft | None = None) -> RuleChain:
        """A chain of the tenant."""
        return create_chain(self.tenant, ChainFields(name=name), draft)

    def problem(self, kind: str, severity: str = "MAJOR") -> AlarmRequest:
        """What makes an alarm of this type about the device."""
        return AlarmRequest(self.tenant, self.ends[1], kind, severity)


class Verb(NamedTuple):
    """One call of a service, the events ("type originator") that it queues, and whether it is seen to be done."""

    do: Callable[[World], object]
    events: list[str]
    done: Callable[[World], bool]


def made(model: type[Model], /, **fields: Any) -> Callable[[World], bool]:
    """Whether there is such an object."""
    return lambda _: bool(model._default_manager.filter(**fields).exists())


def now(name: str, /, **fields: Any) -> Callable[[World], bool]:
    """Whether the World's object of this name is so by now."""

    def look(world: World) -> bool:
        thing = getattr(world, name)
        return bool(type(thing)._default_manager.filter(pk=thing.pk, **fields).exists())

    return look


def gone(name: str) -> Callable[[World], bool]:
    """Whether the World's object of this name is there no more."""
    there = now(name)
    return lambda world: not there(world)
