"""The verbs of customers and users, values, alarms, rule chains, and dead letters."""

from dataclasses import replace

from alarms.models import Alarm
from alarms.services import alarms
from rules.models import RuleChain, RuleConnection
from rules.services import chains, dead_letters, transfer
from rules.services.calls import REQUEST, Call, begin_call
from rules.services.chains import ChainFields
from rules.services.draft import Draft
from rules.services.transfer import ImportedChain
from telemetry import deeds, services
from telemetry.points import Scope
from tenants.models import Customer, User
from tenants.services.customers import create_customer, delete_customer, update_customer
from tenants.services.users import UserFields, create_user, delete_user, update_user
from tests.queued import queued
from tests.verbs.world import HOUR, Verb, World, gone, made, now
from thingsboard.kernel.ids import new_id
from thingsboard.kernel.models import DeadLetter
from thingsboard.kernel.time import now_ms


def limit(world: World) -> object:
    """The attribute that the device has."""
    found = services.attributes(world.device.pk, Scope.SERVER, ["limit"])
    return found[0].value if found else None


def latest(world: World) -> object:
    """The newest value of the series that the device has."""
    found = services.latest(world.device.pk).get("t")
    return found and found.value


def rename_output(world: World) -> None:
    """Give the output of a chain another name, which another chain that calls it follows."""
    node = world.chain.nodes.get()
    chains.save_metadata(world.chain, Draft((replace(world.output, id=node.pk, name="done"),), 0))


def called(world: World) -> bool:
    """Whether the rules are asked something; that is all that a call is."""
    return any(message.type == REQUEST for _, message in queued(world.tenant))


OF_OTHERS: dict[str, Verb] = {
    "create customer": Verb(
        lambda w: create_customer(w.cast.acme, "New"),
        ["ENTITY_CREATED CUSTOMER"],
        made(Customer, title="New"),
    ),
    "update customer": Verb(
        lambda w: update_customer(w.bistro, "Old"),
        ["ENTITY_UPDATED CUSTOMER"],
        now("bistro", title="Old"),
    ),
    "delete customer": Verb(
        lambda w: delete_customer(w.bistro),
        ["ENTITY_DELETED CUSTOMER"],
        gone("bistro"),
    ),
    "create user": Verb(
        lambda w: create_user("new@acme.example", w.cast.alice.authority, tenant=w.cast.acme),
        ["ENTITY_CREATED USER"],
        made(User, email="new@acme.example"),
    ),
    "update user": Verb(
        lambda w: update_user(w.bob, UserFields("rob@bistro.example")),
        ["ENTITY_UPDATED USER"],
        now("bob", email="rob@bistro.example"),
    ),
    "delete user": Verb(
        lambda w: delete_user(w.bob, by=w.cast.alice),
        ["ENTITY_DELETED USER"],
        gone("bob"),
    ),
    "delete user who looks after an alarm": Verb(
        lambda w: delete_user(w.carol, by=w.cast.alice),
        ["ENTITY_DELETED USER", "ALARM_UNASSIGNED DEVICE"],
        gone("carol"),
    ),
    "save points": Verb(
        lambda w: deeds.save_points(w.target, [(2000, {"t": 2})]),
        ["TIMESERIES_UPDATED DEVICE"],
        lambda w: latest(w) == 2,
    ),
    "delete points": Verb(
        lambda w: deeds.delete_points(w.target, ["t"]),
        ["TIMESERIES_DELETED DEVICE"],
        lambda w: latest(w) is None,
    ),
    "save attributes": Verb(
        lambda w: deeds.save_attributes(w.target, Scope.SERVER, {"limit": 2}),
        ["ATTRIBUTES_UPDATED DEVICE"],
        lambda w: limit(w) == 2,
    ),
    "delete attributes": Verb(
        lambda w: deeds.delete_attributes(w.target, Scope.SERVER, ["limit"]),
        ["ATTRIBUTES_DELETED DEVICE"],
        lambda w: limit(w) is None,
    ),
    "raise alarm": Verb(
        lambda w: alarms.create_or_update_alarm(w.problem("New")),
        ["ALARM DEVICE"],
        made(Alarm, type="New"),
    ),
    "raise alarm again": Verb(
        lambda w: alarms.create_or_update_alarm(w.problem("Hot", "CRITICAL")),
        ["ALARM DEVICE"],
        now("alarm", severity="CRITICAL"),
    ),
    "raise alarm that is over": Verb(
        lambda w: alarms.create_or_update_alarm(
            w.problem("New"), wishes=alarms.Wishes(acknowledged=True, cleared=True)
        ),
        ["ALARM DEVICE", "ALARM_ACK DEVICE", "ALARM_CLEAR DEVICE"],
        made(Alarm, type="New", acknowledged=True, cleared=True),
    ),
    "update alarm": Verb(
        lambda w: alarms.update_alarm(w.alarm, w.problem("Hot", "MINOR")),
        ["ALARM DEVICE"],
        now("alarm", severity="MINOR"),
    ),
    "acknowledge alarm": Verb(
        lambda w: alarms.acknowledge_alarm(w.alarm),
        ["ALARM_ACK DEVICE"],
        now("alarm", acknowledged=True),
    ),
    "clear alarm": Verb(
        lambda w: alarms.clear_alarm(w.alarm),
        ["ALARM_CLEAR DEVICE"],
        now("alarm", cleared=True),
    ),
    "assign alarm": Verb(
        lambda w: alarms.assign_alarm(w.alarm, w.carol),
        ["ALARM_ASSIGNED DEVICE"],
        now("alarm", assignee__email="carol@acme.example"),
    ),
    "unassign alarm": Verb(
        lambda w: alarms.unassign_alarm(w.carols_alarm),
        ["ALARM_UNASSIGNED DEVICE"],
        now("carols_alarm", assignee=None),
    ),
    "delete alarm": Verb(
        lambda w: alarms.delete_alarm(w.alarm),
        ["ALARM_DELETE DEVICE"],
        gone("alarm"),
    ),
    "create chain": Verb(
        lambda w: w.new_chain("New"),
        ["ENTITY_CREATED RULE_CHAIN"],
        made(RuleChain, name="New"),
    ),
    "update chain": Verb(
        lambda w: chains.update_chain(w.chain, ChainFields(name="Old")),
        ["ENTITY_UPDATED RULE_CHAIN"],
        now("chain", name="Old"),
    ),
    "save the inside of a chain": Verb(
        lambda w: chains.save_metadata(w.chain, Draft()),
        ["ENTITY_UPDATED RULE_CHAIN"],
        lambda w: not w.chain.nodes.exists(),
    ),
    "rename an output of a chain": Verb(
        rename_output,
        ["ENTITY_UPDATED RULE_CHAIN", "ENTITY_UPDATED RULE_CHAIN"],
        made(RuleConnection, type="done"),
    ),
    "restore a version of a chain": Verb(
        lambda w: chains.restore_version(w.chain, 1),
        ["ENTITY_UPDATED RULE_CHAIN"],
        now("chain", version=2),
    ),
    "set root chain": Verb(
        lambda w: chains.set_root(w.chain),
        ["ENTITY_UPDATED RULE_CHAIN"],
        now("chain", root=True),
    ),
    "delete chain": Verb(
        lambda w: chains.delete_chain(w.outer),
        ["ENTITY_DELETED RULE_CHAIN"],
        gone("outer"),
    ),
    "import chains": Verb(
        lambda w: transfer.import_chains(w.tenant, [ImportedChain(ChainFields(name=name), Draft()) for name in "XY"]),
        ["ENTITY_CREATED RULE_CHAIN", "ENTITY_CREATED RULE_CHAIN"],
        made(RuleChain, name="Y"),
    ),
    "call the rule engine": Verb(
        lambda w: begin_call(
            Call(new_id(), "web", now_ms() + HOUR, w.tenant, None), w.ends[1], w.cast.alice, b"{}", None
        ),
        ["REST_API_REQUEST DEVICE"],
        called,
    ),
    "retry a dead letter": Verb(
        lambda w: dead_letters.retry(w.letter),
        ["POST_TELEMETRY_REQUEST DEVICE"],
        gone("letter"),
    ),
    "retry all dead letters": Verb(
        lambda w: dead_letters.retry_all(DeadLetter.objects.filter(tenant_id=w.tenant)),
        ["POST_TELEMETRY_REQUEST DEVICE"],
        gone("letter"),
    ),
}
