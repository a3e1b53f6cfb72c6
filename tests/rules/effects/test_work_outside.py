"""Messages that wait for work outside: it is done by a real worker against a real server, and they go on as it says."""

import pytest

from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.flow.acknowledge import Acknowledge
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.effects.calls import QUICK, ROOMY, Running, Server, running, settle
from tests.rules.effects.scene import Spec, call, calling, drained, letters, saved, send, send_foreign
from tests.rules.engine.world import drain, make_chain, waiting
from tests.waiting import until
from thingsboard.kernel.models import Effect, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_message_waits_and_goes_on_as_the_work_says(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1)
    drain()
    assert Effect.objects.get().destination == f"http://127.0.0.1:{server.port}"
    assert latest(cast.device.pk) == {} and not waiting()
    with running():
        settle()
    assert latest(cast.device.pk)["t"].value == 1
    assert server.calls == [("/", '{"t":1}')]


def test_five_hundred_calls_to_one_server_overlap(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(500))
    drain()
    with running():
        until(lambda: server.now == 500)
        server.open.set()
        settle(40)
    assert server.most == 500
    assert saved(cast) == list(range(500))


def test_a_destination_that_hangs_holds_up_neither_another_one_nor_another_tenant(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate", "hangs"))
    send(cast, *range(60))
    drain()
    calling(cast, call(server, "/", "answers"))
    send(cast, 100)
    drain()
    calling(cast, call(server, "/"), tenant=cast.globex.pk)
    send_foreign(cast)
    drain()
    with running(limits=ROOMY._replace(all=40, tenant=20, destination=10)):
        until(lambda: drained() and (100 in saved(cast) and latest(cast.foreign_device.pk)))
        assert saved(cast) == [100]
        until(lambda: server.now == 10)
        server.open.set()
        settle()
    assert saved(cast) == [*range(60), 100]


def test_work_of_many_tenants_is_begun_in_turns(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(50))
    drain()
    with running(limits=ROOMY._replace(all=8)) as worker:
        until(lambda: server.now == 4)  # half of what there is
        calling(cast, call(server, "/"), tenant=cast.globex.pk)
        send_foreign(cast)
        drain()
        worker.wake()
        until(lambda: drained() and latest(cast.foreign_device.pk))
        server.open.set()
        settle()


def test_a_message_suspends_twice(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/"), call(server, "/second"))
    send(cast, 1)
    with running():
        settle()
    assert saved(cast) == [1]
    assert [path for path, _ in server.calls] == ["/", "/second"]


def test_two_branches_of_one_message_both_go_on(cast: Cast, server: Server) -> None:
    nodes: list[Spec] = [(Acknowledge, {}), call(server, "/one"), call(server, "/two"), (SaveTimeSeries, {})]
    make_chain(cast.acme.pk, nodes, [(0, 1, "Success"), (0, 2, "Success"), (1, 3, "Success"), (2, 3, "Success")])
    assert cast.device
    OutboxRow.objects.all().delete()
    send(cast, 1)
    drain()
    assert Effect.objects.count() == 2
    with running():
        settle()
    assert saved(cast) == [1]
    assert sorted(path for path, _ in server.calls) == ["/one", "/two"]


def test_a_stop_lets_what_runs_finish_and_gives_back_the_rest(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(5))
    drain()
    worker = Running()
    until(lambda: server.now == 5)
    worker.stop()
    assert Effect.objects.filter(lease=0, attempts=0).count() == 5
    server.open.set()
    worker = Running()
    until(lambda: len(server.calls) == 10)
    worker.stop()
    drain()
    assert saved(cast) == list(range(5))
    assert set(server.keys.values()) == {2}


def test_work_of_a_worker_whose_lease_ended_has_one_continuation(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(20))
    drain()
    with running() as slow:
        until(lambda: server.now == 20)
        Effect.objects.update(due_time=0)  # as if it had not renewed them
        with running():
            until(lambda: server.now == 40)
            server.open.set()
            settle()
        slow.ask_to_stop()
    assert sum(row.messages for row in OutboxRow.objects.all()) == 0
    assert saved(cast) == list(range(20))
    assert len(server.calls) == 40


def test_work_that_is_begun_too_often_without_an_end_fails(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1)
    drain()
    Effect.objects.update(attempts=QUICK.attempts)  # of workers that died
    with running():
        settle()
    assert [letter.error for letter in letters()] == [
        f"The work outside was begun {QUICK.attempts} times and never came to an end."
    ]
    assert server.calls == []
