"""Chains in the files of ThingsBoard's editor, those of old releases too, from the import to what they cause."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alarms.models import Alarm
from devices.services.assets import AssetFields, create_asset
from devices.services.relations import RelationKey, save_relation
from telemetry.points import Scope
from telemetry.query import HistoryQuery
from telemetry.services import attributes, history, save_attributes
from tests.cast import Cast, api
from tests.rules.effects.calls import running, settle
from tests.rules.engine.world import drain, queue, telemetry
from tests.rules.nodes.external.mail_server import MailServer
from tests.rules.nodes.external.mail_server import running as running_mail
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)

EXPORTED = Path(__file__).parent / "exported"


def imported(cast: Cast, name: str, **replaced: str) -> None:
    """The file becomes the tenant's root chain, over the API; in its text `replaced` is put in place."""
    text = (EXPORTED / f"{name}.json").read_text()
    for old, new in replaced.items():
        text = text.replace(old.removeprefix("_"), new)
    alice = api(cast.alice)
    answer = alice.post("/api/v1/ruleChains/import", json.loads(text), format="json")
    assert answer.status_code == 200, answer.content
    (made,) = answer.json()
    assert made["error"] is None
    assert alice.post(f"/api/v1/ruleChains/{made['id']}/setRoot").status_code == 200
    exported = alice.get(f"/api/v1/ruleChains/{made['id']}/export").json()["metadata"]
    theirs = json.loads(text)["metadata"]
    assert [each["configuration"] for each in exported["nodes"]] == [each["configuration"] for each in theirs["nodes"]]
    assert cast.bobs_device
    OutboxRow.objects.all().delete()  # what making all this has queued


def send(cast: Cast, *bodies: dict[str, Any], at: int = 1000) -> None:
    """Telemetry of bob's device, a millisecond apart."""
    device = cast.bobs_device.pk
    queue(cast.acme.pk, *[telemetry(device, json.dumps(each).encode(), at + n) for n, each in enumerate(bodies)])


def entity(kind: EntityType, found: Any) -> EntityId:
    return EntityId(kind, found.pk)


def series(cast: Cast, key: str) -> list[Any]:
    """The values of bob's device, the oldest first."""
    query = HistoryQuery(keys=(key,), start_ts=0, end_ts=10**10, limit=100, descending=False)
    return [point.value for point in history(cast.bobs_device.pk, query).get(key, [])]


def test_plausible_values_are_converted_and_saved_and_others_noted(cast: Cast) -> None:
    imported(cast, "plausible_values")
    send(cast, {"fahrenheit": 50}, {"temperature": 300}, {"humidity": 40}, {"temperature": -5})
    drain()
    assert series(cast, "temperature") == [10, -5] and series(cast, "humidity") == [40]
    assert series(cast, "fahrenheit") == []
    server = {each.key: each.value for each in attributes(cast.bobs_device.pk, Scope.SERVER)}
    assert server["lastImplausible"] == 300
    assert not DeadLetter.objects.exists()


def test_an_alarm_counts_in_its_details_and_is_cleared(cast: Cast) -> None:
    imported(cast, "alarm_with_details")
    send(cast, {"temperature": 80}, {"temperature": 81}, {"temperature": 90})
    drain()
    raised = Alarm.objects.get()
    assert (raised.type, raised.severity, raised.propagate) == ("Temperature of Oven", "MAJOR", True)
    assert raised.details == {"temperature": 90, "times": 3} and not raised.cleared
    send(cast, {"temperature": 20}, {"temperature": 19}, at=2000)
    drain()
    raised.refresh_from_db()
    assert raised.details == {"temperature": 90, "times": 3, "backAt": 20} and raised.cleared
    assert not DeadLetter.objects.exists()


def test_the_difference_to_the_last_value_is_saved(cast: Cast) -> None:
    imported(cast, "difference_to_the_last")
    send(cast, {"counter": 10}, {"counter": 17}, {"counter": 20})
    drain()
    send(cast, {"counter": 26}, at=2000)
    drain()
    assert series(cast, "counter") == [10, 17, 20, 26] and series(cast, "delta") == [0, 7, 3, 6]
    assert not DeadLetter.objects.exists()


def test_a_mail_is_sent_to_the_customer_of_the_device(cast: Cast, settings: Any) -> None:
    settings.TB_SSRF_ALLOWED = ["127.0.0.1"]
    with mail_server() as server:
        imported(cast, "mail_to_the_customer", _2525=str(server.port))
        save_attributes(cast.acme.pk, cast.bistro.pk, Scope.SERVER, {"email": "chef@bistro.example"})
        save_attributes(cast.acme.pk, cast.bobs_device.pk, Scope.SERVER, {"address": "1 Rue Verte"})
        send(cast, {"temperature": 40}, {"temperature": 72.5})
        with running():
            settle()
    ((_, recipients, sent),) = server.mails
    assert recipients == ["chef@bistro.example"]
    assert (sent["To"], sent["Subject"]) == ("chef@bistro.example", "Oven is hot")
    assert sent.get_content().strip() == "Oven at 1 Rue Verte has 72.5 degrees."
    assert series(cast, "temperature") == [40, 72.5]
    assert not DeadLetter.objects.exists()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server in a thread."""
    server, ready, over = MailServer(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with running_mail(server):
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        over.set()
        thread.join()


@contextmanager
def house(calls: list[tuple[str, str, Any]]) -> Iterator[int]:
    """A server that keeps what it is told; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.append((self.path, self.headers["X-Device"], body))
            self.send_response(202)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_smoke_raises_an_alarm_of_the_room_and_tells_the_house(cast: Cast, settings: Any) -> None:
    settings.TB_SSRF_ALLOWED = ["127.0.0.1"]
    calls: list[tuple[str, str, Any]] = []
    with house(calls) as port:
        imported(cast, "smoke_in_a_room", _8099=str(port))
        room = create_asset(cast.acme.pk, AssetFields(name="Kitchen"))
        save_relation(
            cast.acme.pk,
            RelationKey(entity(EntityType.ASSET, room), "Contains", entity(EntityType.DEVICE, cast.bobs_device)),
        )
        OutboxRow.objects.all().delete()
        send(cast, {"smoke": True, "level": 3}, {"quiet": 1})
        with running():
            settle()
    assert calls == [("/rooms/Oven", "Oven", {"smoke": True, "level": 3})]
    alarm = Alarm.objects.get()
    assert (alarm.originator_id, alarm.type, alarm.details) == (room.pk, "Smoke", {"by": "Oven", "level": 3})
    said = {each.key: each.value for each in attributes(cast.bobs_device.pk, Scope.SERVER)}
    assert (str(said["told"]), said["answer"]) == ("202", True)
    send(cast, {"smoke": False}, at=2000)
    drain()
    alarm.refresh_from_db()
    assert alarm.cleared and alarm.details == {"by": "Oven", "level": 3, "over": True}
    assert not DeadLetter.objects.exists()
