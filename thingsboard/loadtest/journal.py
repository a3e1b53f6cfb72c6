"""The journal of a run: what was sent and what was acknowledged, kept in a file that is whole at any moment.

One JSON object: version, server_time, keys, step (ms), started and written (ms since 1970), complete, and per device
its name, id, base, sent (a count) and acknowledged, a list of ranges [first ts, last ts], both ends included; a range's
time stamps lie `step` apart. With `server_time` nobody knows the time stamps: base is 0 and the ranges are numbers of
messages. What the journal lists as acknowledged was acknowledged; it may lag behind by the second between two writings.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .device import Ledger

VERSION = 1


class BadJournal(ValueError):
    """A file that is not a journal; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A run's account. `started` and `written` are milliseconds since 1970."""

    server_time: bool
    keys: list[str]
    started: int
    written: int
    complete: bool
    ledgers: Sequence[Ledger]

    def write(self, path: Path) -> None:
        """Put it in place of the file at `path` in one step, after it reached the disk. Raises OSError."""
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with fresh.open("wb") as file:
            file.write(orjson.dumps(self._as_json()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def _as_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "server_time": self.server_time,
            "keys": self.keys,
            "step": self.ledgers[0].step if self.ledgers else 1,
            "started": self.started,
            "written": self.written,
            "complete": self.complete,
            "devices": [self._device(ledger) for ledger in self.ledgers],
        }

    def _device(self, ledger: Ledger) -> dict[str, Any]:
        base, step = (0, 1) if self.server_time else (ledger.base, ledger.step)
        ranges = [[base + first * step, base + last * step] for first, last in ledger.acknowledged]
        return {"name": ledger.name, "id": ledger.device_id, "base": base, "sent": ledger.sent, "acknowledged": ranges}


def read(path: Path) -> Journal:
    """The journal at `path`. Raises BadJournal when it cannot be read or is none."""
    try:
        data = orjson.loads(path.read_bytes())
        if data["version"] != VERSION:
            raise BadJournal(f"{path}: journal of version {data['version']}, expected {VERSION}.")
        step = 1 if data["server_time"] else int(data["step"])
        ledgers = [
            Ledger(
                name=str(device["name"]),
                device_id=str(device["id"]),
                base=int(device["base"]),
                step=step,
                sent=int(device["sent"]),
                acknowledged=tuple(
                    ((first - device["base"]) // step, (last - device["base"]) // step)
                    for first, last in device["acknowledged"]
                ),
            )
            for device in data["devices"]
        ]
        return Journal(
            bool(data["server_time"]),
            list(data["keys"]),
            int(data["started"]),
            int(data["written"]),
            bool(data["complete"]),
            ledgers,
        )
    except OSError as error:
        raise BadJournal(f"{path}: cannot be read ({error.strerror}).") from None
    except BadJournal:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadJournal(f"{path}: not a journal of a load test ({error!r}).") from None
