"""The embedded Valkey: bus, caches and Celery's kicks, on a unix socket only."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from .account import Account, for_servers
from .addresses import redis_url, run_dir
from .binaries import find_valkey
from .directories import prepare_run_dir
from .server import launched, running


class Valkey:
    """The server on `<run directory>/valkey.sock`. It keeps nothing on disk: everything in it may be lost."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, *, account: Account | None = None) -> None:
        self.data_dir = data_dir
        self.binary = find_valkey()
        self.account = account or for_servers([self.binary, run_dir(data_dir) / "valkey.sock"])

    def prepare(self, patience: float = 60.0) -> None:
        """The sockets' directory, without a predecessor's socket."""
        directory = prepare_run_dir(self.data_dir, self.account)
        (directory / "valkey.sock").unlink(missing_ok=True)

    def argv(self) -> list[str]:
        """`valkey-server` in the foreground."""
        directory = str(run_dir(self.data_dir))
        options = {
            "port": "0",
            "unixsocket": f"{directory}/valkey.sock",
            "unixsocketperm": "700",
            "dir": directory,
            "save": "",
            "appendonly": "no",
            # A limit, so that a leak ends here and not with the machine's memory. Beyond it only keys with an age go
            # (caches, the lanes' kick flags), the least used first. Celery's queues have none and are never thrown
            # away, as allkeys-* would; noeviction would refuse the kicks themselves as soon as caches fill it.
            "maxmemory": "512mb",
            "maxmemory-policy": "volatile-lru",
            # A subscriber that does not read is cut off at 32 MB, not fed until memory is gone.
            "client-output-buffer-limit": "pubsub 32mb 8mb 60",
            "loglevel": "warning",
            "daemonize": "no",
        }
        flags: list[str] = []
        for name, value in options.items():
            flags += [f"--{name}", *(value.split() if name == "client-output-buffer-limit" else [value])]
        return launched([str(self.binary), *flags], self.account, self.stop_signal)

    def is_ready(self) -> bool:
        """Whether it answers PING."""
        client = redis.Redis.from_url(redis_url(self.data_dir), socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def settle(self) -> None:
        """Nothing: it starts empty."""


@contextmanager
def throwaway(directory: Path) -> Iterator[str]:
    """A server that lives as long as the `with` block: yields its URL. `directory` must exist."""
    with running(Valkey(directory), directory / "valkey.log"):
        yield redis_url(directory)
