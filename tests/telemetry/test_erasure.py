"""What was measured of a deleted entity: gone for every reader at once, and removed in the background for good."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from devices.models import Device
from devices.services.devices import DeviceFields, create_device, delete_device
from telemetry import erasure, keys, services
from telemetry.models import Erasure
from telemetry.points import Scope
from telemetry.store.connect import connect
from telemetry.tasks import erase
from telemetry.writer import IngestWriter, Write
from tenants.models import Tenant
from tenants.services.tenants import delete_tenant
from tests.cast import PASSWORD, Cast, api, error
from tests.supervisor.commands import CHECKOUT
from tests.waiting import until
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.time import now_ms, set_source

TABLES = ("ts_kv_all", "ts_latest", "attribute_kv")
DAY_MS = 86_400_000
WORKER = """
import django; django.setup()
from telemetry import erasure
while True: erasure.work_off(60, slice_rows=20)
"""


@pytest.fixture(autouse=True)
def own_clock() -> Iterator[None]:
    yield
    set_source(None)


def move_clock(seconds: float) -> None:
    moved = now_ms() / 1000 + seconds
    set_source(lambda: moved)


def rows(entity: uuid.UUID) -> int:
    """How many rows there are of an entity in all tables."""
    total = 0
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE entity_id = %s", [entity])
            total += cursor.fetchone()[0]
    return total


def measure(device: Any, points: int = 3) -> int:
    """Points now, a year ago and far away, a latest value and attributes; how many rows that is."""
    now = now_ms()
    services.save(device.tenant_id, device.pk, [(now - step, {"t": step}) for step in range(points)])
    services.save(device.tenant_id, device.pk, [(ts, {"t": 1, "u": 1}) for ts in (5, now - 365 * DAY_MS)])
    services.save_attributes(device.tenant_id, device.pk, Scope.SERVER, {"a": 1})
    services.save_attributes(device.tenant_id, device.pk, Scope.CLIENT, {"a": 1})
    return rows(device.pk)


def only() -> Erasure:
    found: Erasure = Erasure.objects.get()
    return found


READS = [
    "/api/plugins/telemetry/DEVICE/{}/values/timeseries",
    "/api/plugins/telemetry/DEVICE/{}/values/timeseries?keys=t&startTs=0&endTs=9999999999999",
    "/api/plugins/telemetry/DEVICE/{}/values/attributes",
    "/api/plugins/telemetry/DEVICE/{}/keys/timeseries",
    "/api/plugins/telemetry/DEVICE/{}/keys/attributes",
    "/api/v1/telemetry/DEVICE/{}/values/timeseries",
    "/api/v1/telemetry/DEVICE/{}/attributes",
]


def test_a_deleted_device_is_gone_for_every_reader_at_once_and_removed_in_the_background(cast: Cast) -> None:
    client, key = api(cast.alice), cast.device.pk
    before, neighbour = measure(cast.device), measure(cast.bobs_device)
    assert client.delete(f"/api/device/{key}").status_code == 200
    for read in READS:
        assert client.get(read.format(key)).status_code == 404, read
    assert rows(key) == before
    assert (only().state, only().tenant_id, only().entity_id) == ("ERASING", cast.acme.pk, key)
    erase()
    assert rows(key) == 0 and rows(cast.bobs_device.pk) == neighbour
    assert (only().state, only().deleted_rows) == ("SETTLING", before)


def test_what_was_on_its_way_is_removed_by_a_later_pass(cast: Cast, settings: Any) -> None:
    key, writer = cast.device.pk, [(now_ms(), {"t": 1})]
    own = rows(key)
    delete_device(cast.device)
    erasure.work_off()
    services.save(cast.acme.pk, key, writer)  # a batch that was read before the deletion and committed after the pass
    erasure.work_off()
    assert rows(key) == 2  # it is not time yet
    move_clock(settings.TB_ERASURE_SETTLE_SECONDS + 1)
    erasure.work_off()
    assert (rows(key), only().state, only().deleted_rows) == (0, "SETTLING", own + 2)
    services.save(cast.acme.pk, key, writer)  # and one that waited for the database for long
    move_clock(10 * settings.TB_ERASURE_SETTLE_SECONDS + 1)
    erasure.work_off()
    assert (rows(key), only().state, only().deleted_rows) == (0, "DONE", own + 4)
    assert only().done_ms is not None
    move_clock(31 * 86_400)
    erasure.work_off()
    assert not Erasure.objects.exists()


def test_a_deletion_that_is_rolled_back_erases_nothing(cast: Cast) -> None:
    before = measure(cast.device)
    with pytest.raises(RuntimeError), transaction.atomic():
        delete_device(Device.objects.get(pk=cast.device.pk))
        raise RuntimeError
    erasure.work_off()
    assert rows(cast.device.pk) == before and not Erasure.objects.exists()


def test_large_erasures_go_in_slices_and_take_turns_with_the_time_there_is(cast: Cast) -> None:
    devices = [create_device(cast.acme.pk, DeviceFields(name=f"d{number}")) for number in range(3)]
    expected = {device.pk: measure(device, points=40) for device in devices}
    for device in devices:
        delete_device(Device.objects.get(pk=device.pk))
    assert erasure.work_off(seconds=0) == 0
    assert erasure.work_off(slice_rows=7) == sum(expected.values())
    assert dict(Erasure.objects.values_list("entity_id", "deleted_rows")) == expected


def test_an_entity_may_be_forgotten_twice(cast: Cast) -> None:
    entity = EntityId(EntityType.DEVICE, cast.device.pk)
    services.forget(cast.acme.pk, [entity])
    erasure.work_off()
    measure(cast.device)
    services.forget(cast.acme.pk, [entity])
    assert only().state == "ERASING"
    erasure.work_off()
    assert rows(cast.device.pk) == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_the_rest_to_the_next_one(request: pytest.FixtureRequest) -> None:
    key = EntityId(EntityType.DEVICE, uuid.uuid4())
    now, tenant = now_ms(), uuid.uuid4()
    writer = IngestWriter()
    writer.commit([Write(tenant.bytes, [(key.id.bytes, now + step, {"t": step}) for step in range(20_000)])])
    writer.close()
    services.forget(tenant, [key])
    before = rows(key.id)
    parameters = connection.get_connection_params()
    url = "postgresql://{user}@{host}/{dbname}".format(
        user=parameters["user"], host=str(parameters["host"]).replace("/", "%2F"), dbname=parameters["dbname"]
    )
    variables = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": django_settings.SETTINGS_MODULE}
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=CHECKOUT, env=variables)
    try:
        until(lambda: only().deleted_rows > 0, 60)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    left = rows(key.id)
    assert 0 < left < before
    until(lambda: only().deleted_rows + rows(key.id) == before)  # what it counted is what it removed
    until(lambda: erasure.work_off() >= 0 and rows(key.id) == 0)
    assert (only().deleted_rows, only().state) == (before, "SETTLING")


@pytest.mark.django_db(transaction=True)
def test_one_worker_is_at_it_at_a_time() -> None:
    key = EntityId(EntityType.DEVICE, uuid.uuid4())
    services.save(uuid.uuid4(), key.id, [(1, {"t": 1})])
    services.forget(uuid.uuid4(), [key])
    with connect("thingsboard test") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [erasure._LOCK])
        assert erasure.work_off() == 0
    until(lambda: erasure.work_off() == 2)


@pytest.mark.django_db(transaction=True)
def test_what_fails_is_shown_and_tried_again() -> None:
    key = EntityId(EntityType.DEVICE, uuid.uuid4())
    services.save(uuid.uuid4(), key.id, [(1, {"t": 1})])
    services.forget(uuid.uuid4(), [key])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE attribute_kv RENAME TO attribute_kv_away")
        try:
            erasure.work_off()
            assert "attribute_kv" in only().error and only().state == "ERASING"
            assert erasure.work_off() == 0  # not before a minute has passed
        finally:
            cursor.execute("ALTER TABLE attribute_kv_away RENAME TO attribute_kv")
    move_clock(61)
    erasure.work_off()
    assert (rows(key.id), only().error, only().state) == (0, "", "SETTLING")


def test_a_deleted_tenant_is_erased_with_everything_it_had(cast: Cast) -> None:
    mine = [
        (EntityType.DEVICE, cast.device.pk),
        (EntityType.TENANT, cast.acme.pk),
        (EntityType.CUSTOMER, cast.bistro.pk),
    ]
    mine += [(EntityType.USER, cast.bob.pk), (EntityType.DEVICE, cast.bobs_device.pk)]
    foreign = (cast.foreign_device.pk, cast.globex.pk)
    for _, key in mine:
        services.save_attributes(cast.acme.pk, key, Scope.SERVER, {"a": 1})
    before = [rows(key) for key in foreign]
    for key in foreign:
        services.save_attributes(cast.globex.pk, key, Scope.SERVER, {"a": 1})
    delete_tenant(Tenant.objects.get(pk=cast.acme.pk))
    assert {(kind.value, key) for kind, key in mine} <= set(Erasure.objects.values_list("entity_type", "entity_id"))
    assert set(Erasure.objects.values_list("tenant_id", flat=True)) == {cast.acme.pk}
    keys.cache.clear()
    erasure.work_off()
    assert [rows(key) for _, key in mine] == [0] * len(mine)
    assert [rows(key) for key in foreign] == [count + 1 for count in before]
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tenant_id FROM ts_tenant_key")
        using_keys = {row[0] for row in cursor.fetchall()}
    assert cast.globex.pk in using_keys and cast.acme.pk not in using_keys


def test_administrators_watch_the_erasures_of_their_tenant_and_the_system_administrator_all(cast: Cast) -> None:
    for device in (cast.device, cast.bobs_device, cast.foreign_device):
        measure(device)
        delete_device(Device.objects.get(pk=device.pk))
    page = api(cast.alice).get("/api/v1/erasures?limit=1").json()
    assert (page["count"], len(page["results"]), page["previous"]) == (2, 1, None)
    [newest] = page["results"]
    assert newest["entity_id"] == str(cast.bobs_device.pk) and newest["entity_type"] == "DEVICE"
    assert (newest["state"], newest["deleted_rows"], newest["done_ms"], newest["failing"]) == (
        "ERASING",
        0,
        None,
        False,
    )
    [older] = api(cast.alice).get(page["next"]).json()["results"]
    assert older["entity_id"] == str(cast.device.pk)
    erasure.work_off()
    [theirs] = api(cast.gina).get("/api/v1/erasures").json()["results"]
    assert (theirs["entity_id"], theirs["state"]) == (str(cast.foreign_device.pk), "SETTLING")
    assert theirs["deleted_rows"] > 0
    assert api(cast.sam).get("/api/v1/erasures").json()["count"] == 3
    assert api(cast.bob).get("/api/v1/erasures").status_code == 403
    for query in ("limit=0", "limit=1001", "limit=x", "offset=-1"):
        assert api(cast.alice).get(f"/api/v1/erasures?{query}").status_code == 400


def test_beat_looks_for_erasures_and_the_admin_shows_them_without_touching(cast: Cast, client: Any) -> None:
    assert django_settings.CELERY_BEAT_SCHEDULE["erase"]["task"] == erase.name
    measure(cast.device)
    delete_device(cast.device)
    assert client.login(username=cast.sam.email, password=PASSWORD)
    assert str(only().entity_id).encode() in client.get("/admin/telemetry/erasure/").content
    assert client.get("/admin/telemetry/erasure/add/").status_code == 403
    assert client.post(f"/admin/telemetry/erasure/{only().pk}/delete/", {"post": "yes"}).status_code == 403
    assert error(api(cast.alice).get("/api/erasures"))[0] == 404  # of our own API only
