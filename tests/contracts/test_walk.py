"""Every route of both families, as every authority: who may, what is not there, and what no body can bring about."""

import json
import re
from typing import Any

import pytest

from tenants.models import Authority, User
from tests.cast import Cast
from tests.contracts.declarations import (
    BODIES,
    EMPTY_FOR_STRANGERS,
    NO_ROUTE,
    QUERIES,
    SAVED_BY_ID,
    UNUSUAL,
    WHO,
)
from tests.contracts.routes import ENDPOINTS, TWINS, Endpoint
from tests.contracts.world import World, declared, kind_of, who
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityType, new_id

GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.path != NO_ROUTE and WHO.get(declared(endpoint), {}).get(endpoint.method) not in {"open", None}]
WRITING = [endpoint for endpoint in GUARDED if endpoint.method in {"POST", "PUT"} and BODIES.get(f"{endpoint.method} {declared(endpoint)}")]
NAMING = [endpoint for endpoint in GUARDED if set(endpoint.parameters) - {"kind", "scope", "holder"}]

named = pytest.mark.parametrize("endpoint", GUARDED, ids=str)


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


def test_every_route_is_declared_and_nothing_else() -> None:
    found = {(declared(endpoint), endpoint.method) for endpoint in ENDPOINTS if endpoint.path != NO_ROUTE}
    assert found == {(path, method) for path, methods in WHO.items() for method in methods}
    assert {f"{method} {path}" for path, method in found if method in {"POST", "PUT"}} == set(BODIES)
    assert QUERIES.keys() <= WHO.keys() and EMPTY_FOR_STRANGERS <= WHO.keys() and SAVED_BY_ID.keys() <= WHO.keys()
    assert {key.removesuffix(" C") for key in UNUSUAL} <= {f"{method} {path}" for path, method in found}


def test_every_parameter_names_a_kind() -> None:
    for endpoint in NAMING:
        for parameter in set(endpoint.parameters) - {"kind", "scope", "holder"}:
            assert kind_of(endpoint.path, parameter)


@pytest.mark.parametrize("authority", "STC")
@named
def test_who_may_is_answered_and_nobody_else(world: World, endpoint: Endpoint, authority: str) -> None:
    url, body = world.url(endpoint, authority), world.body(endpoint, authority)
    answer = world.ask(authority, endpoint.method, url, body)
    if authority not in who(endpoint):
        assert answer.status_code in {403, 404}, answer.content
        error_of(endpoint, answer)
        return
    key = f"{endpoint.method} {declared(endpoint)}"
    unusual = UNUSUAL.get(f"{key} {authority}") or UNUSUAL.get(key)
    assert answer.status_code in ({unusual[0]} if unusual else {200, 201, 204}), answer.content


@pytest.mark.parametrize("authority", "STC")
@pytest.mark.parametrize("endpoint", NAMING, ids=str)
def test_what_is_anothers_is_answered_like_what_does_not_exist(
    world: World, endpoint: Endpoint, authority: str
) -> None:
    if authority not in who(endpoint):
        return
    for parameter in set(endpoint.parameters) - {"kind", "scope", "holder"}:
        said = []
        for key in (new_id(), world.foreign(kind_of(endpoint.path, parameter), authority)):
            if key is None:
                continue
            url = world.url(endpoint, authority, {parameter: key, "holder": NOBODY})
            answer = world.ask(authority, endpoint.method, url, world.body(endpoint, authority))
            said.append((answer.status_code, without_times(answer.content.decode(), str(key))))
            if declared(endpoint) in EMPTY_FOR_STRANGERS:
                assert answer.json()["data"] == []
            else:
                assert answer.status_code == 404, (parameter, answer.content)
                error_of(endpoint, answer)
        assert len(set(said)) == 1


@pytest.mark.parametrize("path", SAVED_BY_ID)
def test_what_is_anothers_is_not_replaced_by_an_id_in_the_body(world: World, path: str) -> None:
    kind = SAVED_BY_ID[path]
    endpoint = Endpoint("POST", path)
    for authority in who(endpoint):
        for key in (new_id(), world.foreign(kind, authority)):
            if key is not None:
                body = {"id": {"entityType": kind.upper(), "id": str(key)}, **world.body(endpoint, authority)}
                assert world.ask(authority, "POST", path, body).status_code == 404


WRONG_BODIES: list[Any] = [
    b"[]", b'"text"', b"5", b"null", b"true", b"{", b"\xff", b"", b"[[1]]",
    b'{"a":' * 2000 + b"1" + b"}" * 2000, b"[" * 100_000,
]  # fmt: skip
WRONG_VALUES: list[Any] = [
    None, True, -1, 2**70, 1.5, "", " ", "n" * 300, "a\0b", [], ["x"], {}, {"id": 5}, {"id": "x"}, {"\0": 1},
    {"configuration": []}, {"configuration": {"maxDevices": "x"}}, "é" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("endpoint", WRITING, ids=str)
def test_no_body_breaks_anything(world: World, endpoint: Endpoint) -> None:
    authority = who(endpoint)[-1] if endpoint.path != "api/device" else "T"
    good = world.body(endpoint, authority)
    for body in WRONG_BODIES:
        answer = world.ask(authority, endpoint.method, world.url(endpoint, authority), body)
        assert 400 <= answer.status_code < 500 or answer.status_code == 200, (body[:40], answer.content)
        if answer.status_code != 200 and "telemetry" not in endpoint.path:
            error_of(endpoint, answer)
    for member in [*good, "id", "version", "nobody_knows_this"]:
        for value in WRONG_VALUES:
            url, body = world.url(endpoint, authority), {**good, member: value}
            answer = world.ask(authority, endpoint.method, url, body)
            assert answer.status_code < 500, (member, value, answer.content)
            body = {**good, member: "\ud800"}
    lone = json.dumps({**good, next(iter(good)): "\ud800"}).encode()
    assert world.ask(authority, endpoint.method, world.url(endpoint, authority), lone).status_code < 500


@pytest.mark.parametrize("endpoint", [each for each in GUARDED if each.method == "GET"], ids=str)
@pytest.mark.parametrize("value", ["%00", "x", "-1", "99999999999999999999", "%ff", "n" * 5000])
def test_no_query_breaks_anything(world: World, endpoint: Endpoint, value: str) -> None:
    authority = who(endpoint)[0]
    names = ("pageSize", "page", "textSearch", "sortProperty", "sortOrder", "limit", "offset", "ordering", "search",
             "since", "until", "type", "active", "deviceProfileId", "device_profile_id", "customer_id", "startTime",
             "deviceIds", "customerIds", "ids", "tenantIds", "startTs", "keys", "name", "transport_type")  # fmt: skip
    url = world.url(endpoint, authority)
    for name in names:
        answer = world.ask(authority, "GET", f"{url}&{name}={value}")
        assert answer.status_code < 500, (name, answer.content)


def owners() -> dict[Any, Any]:
    """Whose everything is, and who may what."""
    rows: dict[Any, Any] = {}
    for kind, door in registered().items():
        names = [name for name in ("tenant_id", "customer_id", "is_default", "created_time") if hasattr(door.model, name)]
        for row in door.model._default_manager.values("pk", *names):
            rows[kind, row.pop("pk")] = row
    for user in User.objects.all():
        rows[EntityType.USER, user.pk] |= {"authority": user.authority, "is_superuser": user.is_superuser}
    return rows


@pytest.mark.parametrize("endpoint", WRITING, ids=str)
def test_no_body_says_whose_something_is_or_who_may_what(world: World, endpoint: Endpoint) -> None:
    cast = world.cast
    if endpoint.path.endswith("/customer"):
        return  # the one body that says so
    tenant, customer = str(cast.globex.pk), str(world.foreign("customer", "T"))
    smuggled = {
        **{name: tenant for name in ("tenant_id", "tenant", "owner", "owner_id")},
        **{name: customer for name in ("customer_id", "customer")},
        "tenantId": {"entityType": "TENANT", "id": tenant},
        "customerId": {"entityType": "CUSTOMER", "id": customer},
        "ownerId": {"entityType": "TENANT", "id": tenant},
        **{name: True for name in ("is_default", "default", "isDefault", "is_superuser", "is_staff")},
        **{name: 5 for name in ("created_time", "createdTime")},
        "authority": Authority.SYS_ADMIN,
        "scopes": ["SYS_ADMIN"],
    }
    for authority in who(endpoint):
        url, good = world.url(endpoint, authority), world.body(endpoint, authority)
        body = {**good, **smuggled}
        if "device" in good and isinstance(good["device"], dict):
            body["device"] = {**good["device"], **smuggled}
        before = owners()
        answer = world.ask(authority, endpoint.method, url, body)
        assert answer.status_code < 500
        after = owners()
        assert {key: after.get(key) for key in before} == before
        home = world.user(authority).tenant_id
        for (kind, key), row in after.items():
            if (kind, key) in before:
                continue
            assert row["created_time"] > 5
            assert not row.get("is_default") or "tenant" in endpoint.path  # a new tenant's default profile
            assert row.get("customer_id") is None
            if authority != "S" and "tenant_id" in row:
                assert row["tenant_id"] == home


def test_the_walk_covers_both_families() -> None:
    paths = {endpoint.path for endpoint in ENDPOINTS}
    assert {"api/tenant/devices", "api/v1/devices/<pk>", "api/devices/<pk>"} <= paths
    assert {"api/devices", "api/customers", "api/tenants"} <= TWINS
    assert len(GUARDED) > 100 and len(WRITING) > 25


NOBODY = new_id()


def without_times(text: str, key: str) -> str:
    return re.sub(r'"timestamp":\d+', "", text).replace(key, "KEY")


def error_of(endpoint: Endpoint, answer: Any) -> None:
    """The body of an error is that of the endpoint's family."""
    body = answer.json()
    assert body["status_code" if endpoint.ours else "status"] == answer.status_code
    assert isinstance(body["detail" if endpoint.ours else "message"], str)
