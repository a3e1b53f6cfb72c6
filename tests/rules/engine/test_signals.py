"""How much may be said of a device: one message a second, 30 a minute and 60 an hour, each node for itself."""

import uuid

from rules.engine.signals import Signals

DEVICE, NODE = uuid.uuid4().bytes, uuid.uuid4().bytes
HOUR = 3_600_000


def taken(node: bytes, device: bytes, *times: int) -> int:
    """How many of the messages of these times (ms) are taken, in a batch of their own that is committed."""
    signals = Signals()
    count = sum(signals.take(node, device, at) for at in times)
    signals.committed()
    return count


def test_one_a_second_thirty_a_minute_and_sixty_an_hour() -> None:
    device = uuid.uuid4().bytes
    assert taken(NODE, device, 0, 0, 999) == 1
    assert taken(NODE, device, *range(1_000, 60_000, 1_000)) in range(45, 60)  # 30, and what is filled up meanwhile
    later = taken(NODE, device, *range(60_000, HOUR, 1_000))
    assert later in range(50, 65)  # one a minute, when the first sixty are gone
    assert taken(NODE, device, 5 * HOUR, 5 * HOUR + 100, 5 * HOUR + 1_000) == 2


def test_devices_and_nodes_have_each_their_own() -> None:
    assert taken(NODE, DEVICE, 0) == 1
    assert taken(NODE, uuid.uuid4().bytes, 0) == taken(uuid.uuid4().bytes, DEVICE, 0) == 1
    assert taken(NODE, DEVICE, 10) == 0


def test_what_is_rolled_back_was_not_taken_and_a_clock_that_goes_back_gives_nothing() -> None:
    device = uuid.uuid4().bytes
    lost = Signals()
    assert lost.take(NODE, device, 5_000) and not lost.take(NODE, device, 5_000)
    assert taken(NODE, device, 5_000) == 1
    assert taken(NODE, device, 0, 5_999) == 0 and taken(NODE, device, 6_000) == 1


def test_parts_of_one_transaction_share_what_there_is() -> None:
    device = uuid.uuid4().bytes
    first = Signals()
    assert first.take(NODE, device, 1_000)
    second = Signals([first])
    assert not second.take(NODE, device, 1_500) and second.take(NODE, device, 2_000)
    assert not Signals([first, second]).take(NODE, device, 2_500)
    assert taken(NODE, device, 1_000) == 1  # none of them was committed
