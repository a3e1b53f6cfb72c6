"""What a node wanted for a message that fails is undone, in whatever batch it came."""

import pytest

from rules import registry
from rules.models import HeldMessage, NodeState
from rules.node import Category, Context, EachNode, Emit, Msg, Outcome
from tests.cast import Cast
from tests.rules.engine.clock import Clock, clock
from tests.rules.engine.world import drain, make_chain, queue, telemetry
from thingsboard.kernel.models import DeadLetter, OutboxRow, Timer

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)


class Clumsy(EachNode):
    """Wants many things, and fails with some messages."""

    TYPE = "org.thingsboard.rule.engine.test.Clumsy"
    NAME = "clumsy"
    CATEGORY = Category.ACTION
    WAKES = frozenset({"CLUMSY_SELF_MSG"})

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """Everything, and then the failure."""
        later = ctx.later
        before = later.state(["n"]).get("n", 0)
        later.hold([msg])
        later.keep("n", before + 1)
        later.add("m", 1)
        later.wake(msg.originator, ctx.now() + 5, "CLUMSY_SELF_MSG")
        held = later.held([msg.originator])[msg.originator]
        if msg.data.value.get("bad"):
            later.take([msg.originator])
            raise ValueError("clumsy")
        assert held == before + 1, (held, before)
        return Emit("Success", msg)


def test_what_a_node_wanted_for_a_message_that_fails_is_undone(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.all(), Clumsy.TYPE, Clumsy)
    assert cast.device.pk
    OutboxRow.objects.all().delete()
    make_chain(cast.acme.pk, [(Clumsy, {})])
    for bodies in ((b"{}", b'{"bad":true}', b"{}"), (b'{"bad":true}',), (b"{}",)):
        queue(cast.acme.pk, *[telemetry(cast.device.pk, body) for body in bodies])
        drain()
    assert [letter.error for letter in DeadLetter.objects.all()] == ["clumsy", "clumsy"]
    assert HeldMessage.objects.count() == 3 and Timer.objects.count() == 1
    assert dict(NodeState.objects.values_list("key", "value")) == {"n": 3, "m": 3}
    assert {row.tenant_id for row in HeldMessage.objects.all()} == {cast.acme.pk}
