"""The table of the platform's processes. `manage.py up` runs it; docker-compose.yml says the same (a test compares)."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Stage(IntEnum):
    """The order in which things stop: first nobody may bring more in, then the work ends, then what it stands on."""

    DOORS = 0
    WORKERS = 1
    SERVERS = 2


@dataclass(frozen=True)
class Process:
    """One program: its command as one types it in the checkout, and when and how it is stopped."""

    name: str
    command: tuple[str, ...]
    stage: Stage
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Plan:
    """What the table depends on, by the names of the settings."""

    data_dir: Path
    mqtt_processes: int = 1
    demo: bool = False


# Threads: a worker's main thread keeps answering pings while a task runs, and one process is half the memory of two.
# No gossip and no mingle: the workers have nothing to tell each other.
_WORKER = ("--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")


def table(plan: Plan) -> list[Process]:
    """Every process, in the order of their start."""
    web = ("python", "manage.py", "runweb")
    processes = [
        Process("web", web, Stage.DOORS),
        *_mqtt(plan.mqtt_processes),
        Process("rules", _worker("rules", "rules", concurrency=2), Stage.WORKERS),
        Process("effects", _worker("effects", "effects,default", concurrency=2), Stage.WORKERS),
        Process("beat", _beat(plan.data_dir), Stage.WORKERS),
    ]
    if plan.demo:
        processes.append(Process("demo", ("python", "manage.py", "demo_devices"), Stage.DOORS))
    return processes


def runnable(command: tuple[str, ...], python: str) -> list[str]:
    """The command with this interpreter's own programs, whatever PATH says."""
    program, *rest = command
    return [python, *rest] if program == "python" else [python, "-m", program, *rest]


def environment(base: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The variables of a child: ours, and what must not depend on the directory it runs in."""
    return {
        **base,
        "DJANGO_SETTINGS_MODULE": base.get("DJANGO_SETTINGS_MODULE", "thingsboard.settings"),
        "TB_DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",  # a worker that is ended by a fault of a library says where it was
        # Celery warns root at every start; in a container or on a test machine that is noise.
        "PYTHONWARNINGS": base.get("PYTHONWARNINGS", "ignore:::celery.platforms"),
    }


def _mqtt(processes: int) -> list[Process]:
    """Each but the first is told its number: it has a metrics port of its own."""
    command = ("python", "manage.py", "runmqtt")
    if processes == 1:
        return [Process("mqtt", command, Stage.DOORS)]
    numbers = [() if number == 0 else ("--number", str(number)) for number in range(processes)]
    return [Process(f"mqtt{n + 1}", (*command, *number), Stage.DOORS) for n, number in enumerate(numbers)]


def _worker(name: str, queues: str, concurrency: int) -> tuple[str, ...]:
    node = ("--hostname", f"{name}@%h", "--concurrency", str(concurrency))
    return ("celery", "--quiet", "-A", "thingsboard", "worker", "-Q", queues, *node, *_WORKER)


def _beat(data_dir: Path) -> tuple[str, ...]:
    schedule = ("--schedule", str(data_dir / "beat-schedule"), "--pidfile", "")
    return ("celery", "--quiet", "-A", "thingsboard", "beat", *schedule, "--loglevel", "WARNING")
