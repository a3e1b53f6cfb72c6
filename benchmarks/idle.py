"""One device, one message a second: how long an acknowledgement takes when nothing else is in flight."""

from collections.abc import Iterator

from .ground import Ground, Row

TARGET_MS = 15.0
SECONDS = 20.0


def run(ground: Ground) -> Iterator[Row]:
    """The median and the slowest; the ratio is to the 15 ms that a device may have to wait."""
    result = ground.loadtest("--devices=1", "--rate=1", f"--duration={SECONDS}")
    note = "; ".join(result["problems"])
    for name in ("p50", "max"):
        value = result["ack_ms"][name] or 0.0
        yield Row(f"PUBACK at one message a second, {name}", value, "ms", value / TARGET_MS, note)
