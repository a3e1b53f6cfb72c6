"""Where the embedded servers of a data directory listen: unix sockets only, at paths that any process can work out."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl

# A unix socket's path is limited to 108 bytes on Linux and 104 on macOS, the terminating zero included.
LONGEST_SOCKET_PATH = 103
DATABASE_NAME = "thingsboard"
DATABASE_USER = "thingsboard"


def run_dir(data_dir: Path) -> Path:
    """The directory of the sockets: `run` in the data directory, or a short one when that path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        return inside
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tb-{os.getuid()}-{mark}"


def database_url(data_dir: Path) -> str:
    """The embedded database, reached over its unix socket."""
    return f"postgresql://{DATABASE_USER}@/{DATABASE_NAME}?host={run_dir(data_dir)}&port=5432"


def celery_broker_url(url: str) -> str:
    """A Redis URL as Celery wants it: its name for the unix socket scheme differs."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={dict(parse_qsl(query)).get('db', '0')}"


def redis_url(data_dir: Path) -> str:
    """The embedded Valkey, reached over its unix socket."""
    return f"unix://{run_dir(data_dir)}/valkey.sock?db=0"


def reachable(bind: str) -> str:
    """An address under which this machine reaches what listens on `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared, not bound
