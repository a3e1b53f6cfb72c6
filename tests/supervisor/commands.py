"""`manage.py` in a process of its own, with an installation of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from thingsboard.supervisor import run

CHECKOUT = Path(run.__file__).parents[2]


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **variables: object) -> dict[str, str]:
    """The variables of an installation on free ports, with embedded servers."""
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "DEBUG"}}
    own = {
        "DJANGO_SETTINGS_MODULE": "thingsboard.settings",
        "TB_DATA_DIR": data_dir,
        "TB_HTTP_PORT": free_port(),
        "TB_MQTT_PORT": free_port(),
        "TB_MQTT_WS_PORT": free_port(),
    }
    return clean | {name: str(value) for name, value in (own | variables).items()}


def manage(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    argv = [sys.executable, "manage.py", *arguments]
    return subprocess.run(argv, cwd=CHECKOUT, env=variables, capture_output=True, text=True, timeout=60)
