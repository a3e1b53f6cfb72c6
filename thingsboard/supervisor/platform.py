"""Puts the supervisor together from the settings: what to start here, and what to check before."""

import os
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings

from thingsboard.embedded.directories import locked
from thingsboard.embedded.postgres import Postgres
from thingsboard.embedded.server import Server
from thingsboard.embedded.valkey import Valkey
from thingsboard.transports.mqtt.ports import open_ports

from . import preflight, welcome
from .output import Output
from .processes import Plan, environment, table
from .run import Supervisor

PREPARE = ("python", "manage.py", "prepare")


def run_platform() -> int:
    """`manage.py up`: returns the exit code. Raises EmbeddedError or PreflightError before anything was started."""
    data_dir: Path = settings.TB_DATA_DIR
    with ExitStack() as stack:
        stack.enter_context(locked(data_dir))
        mqtt = {port.setting: port.number for port in open_ports()}
        preflight.check_ports(settings.TB_BIND, {"TB_HTTP_PORT": settings.TB_HTTP_PORT, **mqtt, **_metrics_port()})
        preflight.check_certificate()
        servers = _servers(data_dir)
        output = Output()
        output.write(f"Starting; data in {data_dir}. Ctrl-C stops everything, the data stays.\n")
        supervisor = Supervisor(
            servers=servers,
            setup=[PREPARE],
            processes=table(plan()),
            directory=settings.BASE_DIR,
            environment=environment(os.environ, data_dir),
            output=output,
            watch=welcome.Watch(output).run,
        )
        return supervisor.run()


def plan() -> Plan:
    """What the settings say about the processes."""
    return Plan(
        data_dir=settings.TB_DATA_DIR,
        mqtt_processes=settings.TB_MQTT_PROCESSES,
        demo=settings.TB_DEMO and settings.DEBUG,
    )


def _servers(data_dir: Path) -> list[Server]:
    """The servers to start ourselves; those that others run are asked whether they let us in."""
    servers: list[Server] = []
    if settings.EMBEDDED_POSTGRES:
        servers.append(Postgres(data_dir))
    else:
        preflight.check_database(settings.DATABASE_URL)
    if settings.EMBEDDED_VALKEY:
        account = servers[0].account if servers and isinstance(servers[0], Postgres) else None
        servers.append(Valkey(data_dir, account=account))  # they share the sockets' directory
    else:
        preflight.check_redis(settings.REDIS_URL)
    return servers


def _metrics_port() -> dict[str, int]:
    """The first one; further processes count up from it."""
    number = settings.TB_MQTT_METRICS_PORT
    return {"TB_MQTT_METRICS_PORT": number} if number else {}
