"""Flows: which messages are worked off one after the other. A flow is (tenant, queue, lane); a lane holds originators."""

from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

MAIN = "Main"


def lane_of(originator: bytes) -> int:
    """The lane of an originator's 16 bytes: the same for all its messages. The last byte of an id is random."""
    return originator[15] % int(settings.TB_RULE_LANES)


def group_of(lane: int) -> int:
    """Which of the drains works off this lane."""
    return lane % int(settings.TB_RULE_DRAINS)


@lru_cache(maxsize=65536)
def flow_id(tenant: bytes, queue: str, lane: int) -> int:
    """The number of a flow: a hash, so that nobody has to ask. Of 100,000 flows two agree with a chance of 1 to 4e9."""
    digest = blake2b(tenant + lane.to_bytes(2, "big") + queue.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
