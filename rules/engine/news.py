"""Live news of what rule chains saved: a rules worker sends them like any other process that writes values."""

import asyncio
import threading

from telemetry.fanout import fanout

_lock = threading.Lock()
_started = threading.Event()


def start_fanout() -> None:
    """Send from a thread, and listen to who watches what, for as long as the process lives. Once."""
    with _lock:
        if _started.is_set():
            return
        _started.set()
        fanout.start()
        threading.Thread(target=lambda: asyncio.run(fanout.interest.listen()), name="who watches", daemon=True).start()
