"""The engine with the real store, without transports: a batch beside batches of one.

In a database of its own on the platform's PostgreSQL. A chain of type switch, save time series, type filter and create alarm;
the values are not stored yet, so that the chain does all of it. CPU of client and server together.

And the engine alone, where writing values does nothing: type switch and save time series, also with a script filter between
them. CPU of the worker and of its script process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from thingsboard.embedded.addresses import database_url

from .ground import ROOT, Ground, Row

BATCHED = 20_000  # messages
ONE_BY_ONE = 1_000
DEVICES = 500
AT_ONCE = 250  # messages of a row of the queue, as a busy shard of ingest appends them
TARGET = 5.0
FIRST_MS = 1_700_000_000_000
ALONE = {"save": 50_000.0, "script": 20_000.0}  # messages/s and core that are wanted, by chain

PACKAGE = "org.thingsboard.rule.engine"
SWITCH, SAVE = f"{PACKAGE}.filter.TbMsgTypeSwitchNode", f"{PACKAGE}.telemetry.TbMsgTimeseriesNode"
SCRIPT = {"scriptLang": "JS", "jsScript": "return msg.t >= 0 && metadata.deviceType !== 'none';"}
# Nodes with their configurations, and lines between them.
CHAINS: dict[str, tuple[dict[str, dict[str, Any]], list[tuple[int, int, str]]]] = {
    "alarms": (
        {
            SWITCH: {},
            SAVE: {},
            f"{PACKAGE}.filter.TbMsgTypeFilterNode": {},
            f"{PACKAGE}.action.TbCreateAlarmNode": {"alarmType": "Load"},
        },
        [(0, 1, "Post telemetry"), (1, 2, "Success"), (2, 3, "True")],
    ),
    "save": ({SWITCH: {}, SAVE: {}}, [(0, 1, "Post telemetry")]),
    "script": (
        {SWITCH: {}, f"{PACKAGE}.filter.TbJsFilterNode": SCRIPT, SAVE: {}},
        [(0, 1, "Post telemetry"), (1, 2, "True")],
    ),
}


def run(ground: Ground) -> Iterator[Row]:
    """Microseconds of CPU a message, one by one and in batches."""
    url = database_url(ground.data_dir)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE DATABASE engine")
        try:
            environment = {**os.environ, "DATABASE_URL": url.replace("/thingsboard?", "/engine?")}
            single = _best(environment, ground.rounds, "alarms", ONE_BY_ONE, 1)
            yield Row("one by one", single["cpu_us"], "us CPU/message", None, f"{single['rate']:,.0f}/s")
            batch = _best(environment, ground.rounds, "alarms", BATCHED, AT_ONCE)
            times = single["cpu_us"] / batch["cpu_us"]
            note = f"{batch['rate']:,.0f}/s on one thread; {times:.0f} times as good, target {TARGET:g}"
            yield Row("in batches", batch["cpu_us"], "us CPU/message", batch["cpu_us"] / single["cpu_us"], note)
            for chain, wanted in ALONE.items():
                alone = _best(environment, ground.rounds, chain, BATCHED, AT_ONCE)
                note = f"{1e6 / alone['own_us']:,.0f}/s and core, target {wanted:,.0f}"
                yield Row(f"engine alone, {chain}", alone["own_us"], "us CPU/message", None, note)
        finally:
            server.execute("DROP DATABASE engine WITH (FORCE)")


def _best(environment: dict[str, str], rounds: int, chain: str, messages: int, at_once: int) -> dict[str, Any]:
    """The round with the least CPU a message."""
    command = [sys.executable, "-m", "benchmarks.engine", chain, str(messages), str(at_once)]
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr[-1000:])
        found.append(json.loads(done.stdout))
    return min(found, key=lambda each: float(each["cpu_us"]))


def _queue(messages: int, at_once: int, tenant: bytes, devices: list[bytes]) -> None:
    from django.db import connection, transaction

    from thingsboard.kernel.outbox import Appender

    head = ("POST_TELEMETRY_REQUEST", "DEVICE")
    for start in range(0, messages, at_once):
        some = range(start, min(messages, start + at_once))
        rows = [(*head, devices[n % DEVICES], FIRST_MS + n, b'{"t":%d,"h":4.5}' % n, None) for n in some]
        with transaction.atomic():
            Appender().append(connection.connection, tenant, rows)


def _measure(chain: str, messages: int, at_once: int) -> dict[str, float]:
    """In this process, on the database that the environment names: queue the messages, then work them off.

    `cpu_us` is that of this process and of its server, `own_us` that of this one and its children.
    """
    import time
    import uuid

    import django
    import psutil

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from devices.models import Device, DeviceProfile
    from rules.engine import fairness
    from rules.engine.drain import drain_of_this_thread
    from rules.engine.values import Values
    from rules.models import RuleChain
    from rules.services.chains import save_metadata
    from rules.services.draft import Connection, Draft, NodeDraft
    from tenants.services.tenants import create_tenant
    from thingsboard.kernel.models import DeadLetter, OutboxRow

    call_command("migrate", verbosity=0)
    tenant = create_tenant(f"Engine {uuid.uuid4()}")
    profile = DeviceProfile.objects.get(tenant=tenant, is_default=True)
    devices = Device.objects.bulk_create(
        [Device(tenant=tenant, profile=profile, name=f"Device {number}") for number in range(DEVICES)]
    )
    kinds, lines = CHAINS[chain]
    nodes = tuple(NodeDraft(type=kind, name=kind, configuration=given) for kind, given in kinds.items())
    root = RuleChain.objects.get(tenant=tenant, root=True, type="CORE")
    save_metadata(root, Draft(nodes, 0, tuple(Connection(*line) for line in lines)))
    OutboxRow.objects.all().delete()
    fairness.MOST_MESSAGES = 2_000 if at_once > 1 else 1
    fairness.FEWEST_MESSAGES = min(fairness.FEWEST_MESSAGES, fairness.MOST_MESSAGES)
    _queue(messages, at_once, tenant.pk.bytes, [device.pk.bytes for device in devices])
    if chain in ALONE:
        Values.flush = lambda self, server: None  # type: ignore[method-assign]
    worker = drain_of_this_thread()
    us, server = psutil.Process(), psutil.Process(connection.connection.info.backend_pid)
    servers, ours, began = sum(server.cpu_times()[:2]), sum(us.cpu_times()[:2]), time.perf_counter()
    for group in range(2):
        while worker.work(group, 5.0, linger_s=0.0):
            pass
    seconds = time.perf_counter() - began
    # The children of this process run scripts, and began with the first one.
    children = sum(sum(child.cpu_times()[:2]) for child in us.children(recursive=True))
    ours = sum(us.cpu_times()[:2]) + children - ours
    servers = sum(server.cpu_times()[:2]) - servers
    if OutboxRow.objects.exists() or DeadLetter.objects.exists():
        raise RuntimeError("Messages are left, or have failed.")
    worker.close()
    return {"cpu_us": 1e6 * (ours + servers) / messages, "own_us": 1e6 * ours / messages, "rate": messages / seconds}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
