"""What waits for a time, as nodes see it: to be woken, to hold messages back, to remember a little, to call devices.

Everything belongs to the node that is running, is written with the batch's COMMIT, and goes with the node. A message that
waits by itself is not among it: that is an outcome (`Wait`).
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from rules.node.message import Msg
from thingsboard.kernel.ids import EntityId

# Under this key a node that ticks remembers when (ms) its next tick is due: one that says another time is out of date.
TICK: Final = "tick"


class Tick(NamedTuple):
    """To be woken at `due` (ms), by a message of that type whose originator is the node itself and whose `ts` is `due`."""

    due: int
    type: str


class DeviceCall(NamedTuple):
    """What a device is asked to do (compat/device_transports.md 9). `params` and `additional_info` are texts, JSON where they
    are more than one value; `expires` in ms. Of a `persistent` one the status is kept; the others are answered or forgotten.
    """

    id: uuid.UUID
    device: EntityId
    number: int
    method: str
    params: str
    expires: int
    oneway: bool = False
    persistent: bool = False
    retries: int | None = None
    additional_info: str | None = None


class Later(Protocol):
    """See the module."""

    @property
    def node(self) -> EntityId:
        """The node that is running."""
        ...

    @property
    def service_id(self) -> str:
        """What this platform is called in keys that ThingsBoard makes of its serviceId."""
        ...

    # To be woken.

    def wake(self, entity: EntityId, due: int, type: str, *, keep: bool = True) -> None:
        """At `due` (ms) a message of that type (one of WAKES), with that originator and that `ts`, arrives at the node.

        There is one for each entity at most: one that is there already is kept, or replaced.
        """
        ...

    # Messages that are held back, by originator.

    def hold(self, messages: Sequence[Msg]) -> None:
        """Hold messages back. They are done, so that nothing is tried again, and nothing lost. Raises ValueError where too
        much of the tenant waits already.
        """
        ...

    def held(self, entities: Collection[EntityId]) -> Mapping[EntityId, int]:
        """How many messages of each originator are held back."""
        ...

    def take(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[Msg]]:
        """All messages that are held back of these originators, in the order in which they came. They are so no longer."""
        ...

    # What a node remembers.

    def state(self, keys: Collection[str]) -> Mapping[str, Any]:
        """The JSON values that are remembered under these keys; what is not there is missing. Nobody else changes them before
        the batch ends.
        """
        ...

    def keep(self, key: str, value: Any) -> None:
        """Remember a small JSON value instead of what was there. Raises ValueError where it is too large."""
        ...

    def add(self, key: str, by: int) -> None:
        """Add to a number, from 0 on. Others may do so at the same time."""
        ...

    # Waiting, and calling devices.

    def waiting(self) -> int:
        """How many messages wait at the node by themselves."""
        ...

    def connected(self, devices: Collection[EntityId]) -> Collection[EntityId]:
        """Those of the devices that have a session."""
        ...

    def call(self, request: DeviceCall) -> None:
        """Ask a device, after the COMMIT. Raises ValueError or a PlatformError where it cannot be asked."""
        ...
