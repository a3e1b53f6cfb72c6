"""The engine with the real store, without transports: a batch beside batches of one.

In a database of its own on the platform's PostgreSQL. A chain of type switch, save time series, type filter and create alarm;
the values are not stored yet, so that the chain does all of it. CPU of client and server together.
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
FIRST_MS = 1_800_000_000_000


def run(ground: Ground) -> Iterator[Row]:
    """Microseconds of CPU a message, one by one and in batches."""
    url = database_url(ground.data_dir)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE DATABASE engine")
        try:
            environment = {**os.environ, "DATABASE_URL": url.replace("/thingsboard?", "/engine?")}
            single = _best(environment, ground.rounds, ONE_BY_ONE, 1)
            yield Row("one by one", single["cpu_us"], "us CPU/message", None, f"{single['rate']:,.0f}/s")
            batch = _best(environment, ground.rounds, BATCHED, AT_ONCE)
            times = single["cpu_us"] / batch["cpu_us"]
            note = f"{batch['rate']:,.0f}/s on one thread; {times:.0f} times as good, target {TARGET:g}"
            yield Row("in batches", batch["cpu_us"], "us CPU/message", batch["cpu_us"] / single["cpu_us"], note)
        finally:
            server.execute("DROP DATABASE engine WITH (FORCE)")


def _best(environment: dict[str, str], rounds: int, messages: int, at_once: int) -> dict[str, Any]:
    """The round with the least CPU a message."""
    command = [sys.executable, "-m", "benchmarks.engine", str(messages), str(at_once)]
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr[-1000:])
        found.append(json.loads(done.stdout))
    return min(found, key=lambda each: float(each["cpu_us"]))


def _measure(messages: int, at_once: int) -> dict[str, float]:
    """In this process, on the database that the environment names: queue the messages, then work them off."""
    import time
    import uuid

    import django
    import psutil

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from devices.models import Device, DeviceProfile
    from rules.engine import fairness
    from rules.engine.drain import drain_of_this_thread
    from rules.models import RuleChain
    from rules.services.chains import save_metadata
    from rules.services.draft import Connection, Draft, NodeDraft
    from tenants.services.tenants import create_tenant
    from thingsboard.kernel.models import OutboxRow
    from thingsboard.kernel.outbox import Appender

    call_command("migrate", verbosity=0)
    tenant = create_tenant(f"Engine {uuid.uuid4()}")
    profile = DeviceProfile.objects.get(tenant=tenant, is_default=True)
    devices = Device.objects.bulk_create(
        [Device(tenant=tenant, profile=profile, name=f"Device {number}") for number in range(DEVICES)]
    )
    package = "org.thingsboard.rule.engine"
    kinds = {
        "filter.TbMsgTypeSwitchNode": {},
        "telemetry.TbMsgTimeseriesNode": {},
        "filter.TbMsgTypeFilterNode": {},
        "action.TbCreateAlarmNode": {"alarmType": "Load"},
    }
    nodes = tuple(NodeDraft(type=f"{package}.{kind}", name=kind, configuration=given) for kind, given in kinds.items())
    lines = (Connection(0, 1, "Post telemetry"), Connection(1, 2, "Success"), Connection(2, 3, "True"))
    root = RuleChain.objects.get(tenant=tenant, root=True, type="CORE")
    save_metadata(root, Draft(nodes, 0, lines))
    OutboxRow.objects.all().delete()
    fairness.MOST_MESSAGES = 2_000 if at_once > 1 else 1
    fairness.FEWEST_MESSAGES = min(fairness.FEWEST_MESSAGES, fairness.MOST_MESSAGES)
    head = ("POST_TELEMETRY_REQUEST", "DEVICE")
    for start in range(0, messages, at_once):
        some = range(start, min(messages, start + at_once))
        rows = [(*head, devices[n % DEVICES].pk.bytes, FIRST_MS + n, b'{"t":%d,"h":4.5}' % n, None) for n in some]
        with transaction.atomic():
            Appender().append(connection.connection, tenant.pk.bytes, rows)
    worker = drain_of_this_thread()
    us, server = psutil.Process(), psutil.Process(connection.connection.info.backend_pid)
    before, began = sum(us.cpu_times()[:2]) + sum(server.cpu_times()[:2]), time.perf_counter()
    for group in range(2):
        while worker.work(group, 5.0, linger_s=0.0):
            pass
    seconds = time.perf_counter() - began
    cpu = sum(us.cpu_times()[:2]) + sum(server.cpu_times()[:2]) - before
    if OutboxRow.objects.exists():
        raise RuntimeError("Messages are left.")
    worker.close()
    return {"cpu_us": 1e6 * cpu / messages, "rate": messages / seconds}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    print(json.dumps(_measure(int(sys.argv[1]), int(sys.argv[2]))))
