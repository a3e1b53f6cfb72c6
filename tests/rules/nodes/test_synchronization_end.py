"""Synchronization end: every message passes as it came."""

from rules.nodes.action.synchronization_end import SynchronizationEnd
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made


def test_every_message_passes_as_it_came(world: World) -> None:
    batch = [message({"t": 1}, stored=True), message(raw=b"no json"), message([], "CUSTOM", ts="5")]
    outcomes = made(SynchronizationEnd, {"version": 0}).run(world, batch)
    assert outcomes == [("Success", msg, "") for msg in batch]
    assert (world.asked, world.points, world.attributes_saved) == ([], [], [])
