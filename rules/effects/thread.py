"""The one long-lived thread of an effects process. Celery tasks only wake it; a process that stops lets it finish."""

import asyncio
import logging
import resource
import threading
from typing import Any

from celery import signals

from rules.effects.pace import Pace, limits_from_settings
from rules.effects.worker import EffectsWorker

log = logging.getLogger(__name__)

AGAIN_S = 1.0  # after a fault of its own it starts anew
JOIN_S = 10.0  # beyond what running work has


class EffectsThread:
    """Starts with the first `wake`, ends with `stop`, and never again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: EffectsWorker | None = None
        self._stopped = threading.Event()

    def wake(self) -> None:
        """From any thread: there may be work."""
        with self._lock:
            if self._stopped.is_set():
                return
            if self._thread is None:
                _allow_connections()
                self._thread = threading.Thread(target=self._run, name="effects", daemon=True)
                self._thread.start()
                return
            if self._loop is not None and self._worker is not None:
                self._loop.call_soon_threadsafe(self._worker.wake)

    def stop(self) -> None:
        """From any thread: claim no more, and come to an end."""
        self._stopped.set()
        with self._lock:
            if self._loop is not None and self._worker is not None:
                self._loop.call_soon_threadsafe(self._worker.stop)

    def join(self) -> None:
        """Return when it has ended, or did not for too long."""
        if self._thread is not None:
            self._thread.join(Pace.from_settings().stop + JOIN_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                asyncio.run(self._work())
            except Exception:
                log.exception("The effects worker failed, and starts anew.")
                self._stopped.wait(AGAIN_S)

    async def _work(self) -> None:
        worker = EffectsWorker(limits_from_settings(), Pace.from_settings())
        with self._lock:
            self._loop, self._worker = asyncio.get_running_loop(), worker
        if self._stopped.is_set():
            worker.stop()
        try:
            await worker.run()
        finally:
            with self._lock:
                self._loop = self._worker = None


def _allow_connections() -> None:
    """Each work may have a connection; a process is allowed few files by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


effects_thread = EffectsThread()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    effects_thread.stop()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _join(**_: Any) -> None:
    effects_thread.join()
