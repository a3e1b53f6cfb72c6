"""What a load test was asked to do, checked before anything is sent."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

MAX_DEVICES = 50_000
MAX_RATE = 1_000_000
MAX_POINTS = 1_000
MAX_DURATION_S = 86_400.0
MAX_WINDOW = 60_000  # packet ids are 16 bits

# As fast as acknowledged: so many messages on their way keep a few batches full without queueing for seconds.
GREEDY_IN_FLIGHT = 5_000
# At a fixed rate the window only bounds what a server that stands still may owe; slowness shows as latency first.
PACED_IN_FLIGHT = 200_000


class BadOptions(ValueError):
    """An option that cannot be honoured; the text says which one and what was expected."""


@dataclass(frozen=True, slots=True)
class Options:
    """One load test. `rate` is messages per second over all devices, 0 = as fast as acknowledged; times in seconds."""

    url: str
    mqtt_host: str
    mqtt_port: int
    username: str = "tenant@thingsboard.org"
    password: str = "tenant"  # noqa: S105 - the demo's published login
    devices: int = 500
    rate: float = 0.0
    window: int = 0
    points: int = 3
    qos: int = 1
    duration: float = 60.0
    server_time: bool = False
    journal: Path | None = None
    readback: bool = True
    reconnect: bool = False
    max_outage: float = 60.0
    grace: float = 10.0
    tokens: str = ""
    foreign_host: bool = False

    @property
    def in_flight(self) -> int:
        """How many messages of one device may be unacknowledged: the window asked for, or one that suits the mode."""
        if self.window:
            return self.window
        if self.rate:
            return max(20, min(1_000, PACED_IN_FLIGHT // self.devices))
        return max(1, min(500, GREEDY_IN_FLIGHT // self.devices))

    @property
    def step_ms(self) -> int:
        """The distance of a device's time stamps: its sending interval, and 1 ms when it sends faster than that."""
        return max(1, int(1000 * self.devices / self.rate)) if self.rate else 1

    def check(self) -> None:
        """Raise BadOptions for values out of bounds, and for a foreign target unless that was allowed."""
        for name, value, low, high in (
            ("--devices", self.devices, 1, MAX_DEVICES),
            ("--rate", self.rate, 0, MAX_RATE),
            ("--window", self.window, 0, MAX_WINDOW),
            ("--points", self.points, 1, MAX_POINTS),
            ("--qos", self.qos, 0, 1),
            ("--duration", self.duration, 0.1, MAX_DURATION_S),
            ("--max-outage", self.max_outage, 0.1, MAX_DURATION_S),
            ("--grace", self.grace, 0.1, MAX_DURATION_S),
            ("--mqtt port", self.mqtt_port, 1, 65535),
        ):
            if not low <= value <= high:
                raise BadOptions(f"{name} {value:g}: expected a number from {low:g} to {high:g}.")
        target = urlsplit(self.url)
        if target.scheme not in ("http", "https") or not target.hostname:
            raise BadOptions(f"--url {self.url!r}: expected http://host:port or https://host:port.")
        if not self.foreign_host:
            for option, host in (("--url", target.hostname), ("--mqtt", self.mqtt_host)):
                if not is_loopback(host):
                    raise BadOptions(
                        f"{option}: {host} is not this machine. A load test can take a platform down; "
                        "give --i-own-this-host to run it against a host of your own."
                    )


def is_loopback(host: str) -> bool:
    """True for loopback addresses and `localhost`; any other name may point elsewhere tomorrow."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """`host`, `host:port`, `[::1]:port` to (host, port). Raises BadOptions when it is none of them."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.query:
        raise BadOptions(f"--mqtt {text!r}: expected host:port.")
    return host, default_port if port is None else port
