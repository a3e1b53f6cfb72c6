"""Persistent RPC: what may follow what, who sees it, and that nothing grows without bounds."""

import threading
import uuid

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from devices.models import Rpc, RpcStatus
from devices.services import rpcs
from devices.services.devices import delete_device
from devices.services.rpcs import change_status, create_rpc, delete_rpc
from devices.services.shares import share_with
from tenants.models import AuditLog
from tenants.services.audit import remember_request
from tenants.services.tenants import delete_tenant
from tests.cast import Cast
from tests.waiting import until, waits_for_a_lock
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, NotFound, PayloadTooLarge, TooMany
from thingsboard.kernel.time import now_ms

REQUEST = {"method": "setValue", "params": True}
HOUR = 3_600_000


def queued(cast: Cast) -> Rpc:
    return create_rpc(cast.device, REQUEST, expiration_time=now_ms() + HOUR)


def test_a_command_waits_for_its_device_and_keeps_the_answer(cast: Cast) -> None:
    key = uuid.uuid1()
    rpc = create_rpc(cast.device, REQUEST, expiration_time=now_ms() + HOUR, retries=9, rpc_id=key)
    assert (rpc.pk, rpc.status, rpc.retries, rpc.tenant) == (key, RpcStatus.QUEUED, rpcs.MOST_RETRIES, cast.acme)
    for status in (RpcStatus.SENT, RpcStatus.DELIVERED):
        assert change_status(key, status).status == status
    done = change_status(key, RpcStatus.SUCCESSFUL, response={"ok": True})
    assert (done.status, done.response, done.version) == (RpcStatus.SUCCESSFUL, {"ok": True}, 4)
    with pytest.raises(BadRequest, match="id exists already"):
        create_rpc(cast.device, REQUEST, expiration_time=now_ms() + HOUR, rpc_id=key)


def test_an_acknowledgement_that_comes_twice_changes_nothing(cast: Cast) -> None:
    rpc = queued(cast)
    change_status(rpc.pk, RpcStatus.DELIVERED)
    assert change_status(rpc.pk, RpcStatus.DELIVERED).version == 2


def test_an_attempt_that_timed_out_is_repeated(cast: Cast) -> None:
    rpc = queued(cast)
    for status in (RpcStatus.SENT, RpcStatus.TIMEOUT, RpcStatus.QUEUED, RpcStatus.SENT, RpcStatus.FAILED):
        rpc = change_status(rpc.pk, status)
    assert rpc.status == RpcStatus.FAILED


@pytest.mark.parametrize("end", [RpcStatus.SUCCESSFUL, RpcStatus.EXPIRED, RpcStatus.FAILED])
def test_after_its_end_a_command_can_only_be_deleted(cast: Cast, end: RpcStatus) -> None:
    rpc = queued(cast)
    change_status(rpc.pk, end)
    for status in set(RpcStatus) - {end, RpcStatus.DELETED}:
        with pytest.raises(BadRequest, match=f"is {end} does not become {status}"):
            change_status(rpc.pk, status)
    assert change_status(rpc.pk, RpcStatus.DELETED).status == RpcStatus.DELETED
    with pytest.raises(BadRequest):
        change_status(rpc.pk, RpcStatus.QUEUED)


def test_what_cannot_be_a_command_is_refused(cast: Cast) -> None:
    with pytest.raises(BadRequest, match="expirationTime"):
        create_rpc(cast.device, REQUEST, expiration_time=now_ms() - 1)
    with pytest.raises(BadRequest, match="retries"):
        create_rpc(cast.device, REQUEST, expiration_time=now_ms() + HOUR, retries=-1)
    with pytest.raises(PayloadTooLarge, match=r"request: .* expected at most 65536"):
        create_rpc(cast.device, {"params": "x" * 65_536}, expiration_time=now_ms() + HOUR)
    rpc = queued(cast)
    with pytest.raises(PayloadTooLarge):
        change_status(rpc.pk, RpcStatus.SUCCESSFUL, response="x" * 65_536)
    with pytest.raises(NotFound):
        change_status(uuid.uuid1(), RpcStatus.SENT)


def test_only_so_many_wait_for_a_device_and_those_that_ended_do_not_count(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpcs, "MOST_WAITING", 2)
    first, _ = queued(cast), queued(cast)
    with pytest.raises(TooMany, match="2 requests wait"):
        queued(cast)
    change_status(first.pk, RpcStatus.EXPIRED)
    queued(cast)
    create_rpc(cast.bobs_device, REQUEST, expiration_time=now_ms() + HOUR)


def test_who_may_control_a_device_sees_its_commands_and_administrators_delete_them(cast: Cast) -> None:
    rpc = queued(cast)
    assert Rpc.objects.visible_to(cast.alice).get() == rpc
    for stranger in (cast.gina, cast.bob, cast.sam):
        assert not Rpc.objects.visible_to(stranger).exists()
    share_with(cast.device, cast.bob, Action.VIEW)
    assert not Rpc.objects.visible_to(cast.bob).exists()
    share_with(cast.device, cast.bob, Action.CONTROL)
    assert Rpc.objects.visible_to(cast.bob).get() == rpc
    assert not Rpc.objects.visible_to(cast.bob, Action.MANAGE).exists()
    delete_rpc(Rpc.objects.visible_to(cast.alice, Action.MANAGE).get())
    assert AuditLog.objects.get(entity_type="RPC").action == "DELETED"
    with pytest.raises(NotFound):
        delete_rpc(rpc)


def test_the_audit_log_tells_of_a_call_by_somebody_and_not_by_a_rule(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(cast)
    assert not AuditLog.objects.filter(action="RPC_CALL").exists()

    def call(_: HttpRequest) -> HttpResponse:
        queued(cast)
        with pytest.raises(TooMany), transaction.atomic():
            queued(cast)
        return HttpResponse()

    request = RequestFactory().post("/")
    request.user = cast.alice
    monkeypatch.setattr(rpcs, "MOST_WAITING", 2)
    remember_request(call)(request)
    done, refused = AuditLog.objects.filter(action="RPC_CALL").order_by("created_time", "id")
    assert (done.success, refused.success, done.entity_name, done.user_id) == (True, False, "Meter", cast.alice.pk)
    assert done.data == {"after": {"request": REQUEST}} and "2 requests wait" in refused.failure


def test_commands_go_with_their_device_and_their_tenant(cast: Cast) -> None:
    queued(cast)
    create_rpc(cast.bobs_device, REQUEST, expiration_time=now_ms() + HOUR)
    kept = create_rpc(cast.foreign_device, REQUEST, expiration_time=now_ms() + HOUR)
    device = cast.device
    delete_device(device)
    assert Rpc.objects.count() == 2
    delete_tenant(cast.acme)
    assert Rpc.objects.get() == kept


@pytest.mark.django_db(transaction=True)
def test_two_ends_of_a_command_at_once_leave_one_of_them(transactional_db: None) -> None:
    rpc = queued(Cast())
    refused: list[Exception] = []

    def expire() -> None:
        try:
            change_status(rpc.pk, RpcStatus.EXPIRED)
        except BadRequest as error:
            refused.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        change_status(rpc.pk, RpcStatus.SUCCESSFUL, response=1)
        other = threading.Thread(target=expire)
        other.start()
        until(waits_for_a_lock)
    other.join(10)
    rpc.refresh_from_db()
    assert (rpc.status, rpc.response, len(refused)) == (RpcStatus.SUCCESSFUL, 1, 1)
