"""Keeps out addresses that guess: so many wrong credentials, and an address is refused for a while.

Off by default, as in ThingsBoard (compat/device_transports.md 11): behind one address there may be a whole factory.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

from django.conf import settings

from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.recognition import Refused

# Addresses that are remembered; the one that failed longest ago is forgotten first.
MAX_ADDRESSES = 10_000

_GUESSES = (packets.NOT_AUTHORIZED, packets.BAD_IDENTIFIER)


class Blocks:
    """Counts wrong credentials by address. A right one lets the address begin anew, as does the end of a block."""

    def __init__(self, attempts: int, seconds: float, clock: Callable[[], float]) -> None:
        """After `attempts` wrong credentials (0: never) an address is blocked for `seconds` of `clock`."""
        self._attempts, self._seconds, self._clock = attempts, seconds, clock
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._until: OrderedDict[str, float] = OrderedDict()  # in the order in which the blocks end

    @classmethod
    def from_settings(cls, clock: Callable[[], float]) -> Self:
        """As the TB_MQTT_AUTH_BLOCK_* settings say."""
        return cls(settings.TB_MQTT_AUTH_BLOCK_ATTEMPTS, settings.TB_MQTT_AUTH_BLOCK_SECONDS, clock)

    def check(self, address: str) -> None:
        """Raise Refused while the address is blocked."""
        if address in self._until:
            if self._until[address] > self._clock():
                raise Refused(packets.NOT_AUTHORIZED, "blocked")
            del self._until[address]

    def failed(self, address: str, refused: Refused) -> None:
        """A CONNECT from this address was refused; what is not the fault of its credentials does not count."""
        if not self._attempts or not address or refused.code not in _GUESSES or refused.reason == "blocked":
            return
        failures = self._failures.pop(address, 0) + 1
        if failures < self._attempts:
            _remember(self._failures, address, failures)
        else:
            _remember(self._until, address, self._clock() + self._seconds)

    def passed(self, address: str) -> None:
        """A CONNECT from this address was accepted."""
        self._failures.pop(address, None)


def _remember(table: OrderedDict[str, Any], address: str, value: float) -> None:
    table[address] = value
    table.move_to_end(address)
    if len(table) > MAX_ADDRESSES:
        table.popitem(last=False)
