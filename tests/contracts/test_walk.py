"""Every route of both families, as every authority: who may, what is not there, and what no request can bring about.

A new route is found by itself; tests/contracts/declared/ must say what it promises.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from django.db import transaction

from tenants.models import Authority, User
from tests.cast import Cast
from tests.contracts.contract import OPEN, Contract
from tests.contracts.declared import KINDS, ROUTES, TEXTS
from tests.contracts.routes import ENDPOINTS, Endpoint
from tests.contracts.world import World, contract_of, kind_of
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityType, new_id

DECLARED: dict[Endpoint, Contract] = {each: contract for each in ENDPOINTS if (contract := contract_of(each))}
GUARDED = [endpoint for endpoint, contract in DECLARED.items() if contract.who != OPEN]
NAMING = [endpoint for endpoint in GUARDED if any(kind_of(endpoint, name) for name in endpoint.parameters)]
ASKING = [endpoint for endpoint in GUARDED if "{" in DECLARED[endpoint].query]
WRITING = [endpoint for endpoint in GUARDED if DECLARED[endpoint].body is not None]
SAVING = [endpoint for endpoint in GUARDED if DECLARED[endpoint].saves]

GOOD = {200, 201, 204}


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


def test_every_route_is_declared() -> None:
    missing = [endpoint for endpoint in ENDPOINTS if endpoint not in DECLARED]
    lines = [
        f'"{each.declared}": {{"{each.method}": by("T"{", body={...}" if each.method in {"POST", "PUT"} else ""})}},'
        for each in missing
    ]
    assert not missing, (
        "Nobody says what these routes promise. Add them to ROUTES of a module in tests/contracts/declared/, with who may "
        "(of S, T and C, or OPEN), the query that they need and a good body (tests/contracts/contract.py):\n"
        + "\n".join(lines)
    )


def test_nothing_is_declared_that_is_no_route() -> None:
    found = {(endpoint.declared, endpoint.method) for endpoint in ENDPOINTS}
    stale = [
        f"{method} {path}" for path, methods in ROUTES.items() for method in methods if (path, method) not in found
    ]
    assert not stale, f"No route answers these any more; take them out of tests/contracts/declared/: {', '.join(stale)}"


def test_every_parameter_names_a_kind_or_a_text() -> None:
    unknown = [
        f"<{name}> of {endpoint}"
        for endpoint in DECLARED
        for name in endpoint.parameters
        if kind_of(endpoint, name) is None and name not in TEXTS
    ]
    assert not unknown, (
        "Nobody says what these parameters name. Add a Kind to KINDS, or to its `named`, or a text to TEXTS of a module in "
        f"tests/contracts/declared/: {', '.join(unknown)}"
    )


@pytest.mark.parametrize("endpoint", GUARDED, ids=str)
def test_who_may_is_answered_and_nobody_else(world: World, endpoint: Endpoint) -> None:
    contract = DECLARED[endpoint]
    requests = {each: (world.url(endpoint, each), world.body(endpoint, each)) for each in "STC"}
    for authority, (url, body) in requests.items():
        with undone():
            answer = world.ask(authority, endpoint.method, url, body)
        if authority not in contract.authorities:
            assert answer.status_code in {403, 404}, (authority, answer.content)
            check_error(endpoint, answer)
        elif authority in contract.answers:
            assert answer.status_code == contract.answers[authority], (authority, answer.content)
            check_error(endpoint, answer)
        else:
            assert answer.status_code in GOOD, (authority, answer.content)


@pytest.mark.parametrize("endpoint", NAMING, ids=str)
def test_what_is_anothers_is_answered_like_what_does_not_exist(world: World, endpoint: Endpoint) -> None:
    contract = DECLARED[endpoint]
    for authority, name in product(contract.authorities, endpoint.parameters):
        kind = kind_of(endpoint, name)
        if kind is None:
            continue
        answers = set()
        for key in (new_id(), kind.foreign(world, authority)):
            if key is None:
                continue
            url, body = world.url(endpoint, authority, {name: key}), world.body(endpoint, authority)
            with undone():
                answer = world.ask(authority, endpoint.method, url, body)
            if contract.outlives:
                assert (answer.status_code, answer.json()["data"]) == (200, [])
            else:
                assert answer.status_code == 404, (name, answer.content)
                check_error(endpoint, answer)
            answers.add(re.sub(rf"\b{key}\b", "KEY", without_times(answer.content.decode())))
        assert len(answers) == 1


@pytest.mark.parametrize("endpoint", ASKING, ids=str)
def test_what_is_anothers_is_left_out_where_a_query_names_it(world: World, endpoint: Endpoint) -> None:
    (named,) = re.findall(r"\{(\w+)\}", DECLARED[endpoint].query)
    for authority in DECLARED[endpoint].authorities:
        foreign = world.foreign(named, authority)
        if foreign is not None:
            answer = world.ask(authority, endpoint.method, world.url(endpoint, authority, foreign=True))
            assert (answer.status_code, answer.json()) in ((200, []), (404, answer.json())), answer.content


@pytest.mark.parametrize("endpoint", SAVING, ids=str)
def test_what_is_anothers_is_not_replaced_by_an_id_in_the_body(world: World, endpoint: Endpoint) -> None:
    kind = DECLARED[endpoint].saves
    for authority in DECLARED[endpoint].authorities:
        for key in (new_id(), world.foreign(kind, authority)):
            if key is not None:
                body = {**world.body(endpoint, authority), "id": {"entityType": kind.upper(), "id": str(key)}}
                assert world.ask(authority, "POST", endpoint.path, body).status_code == 404


@pytest.mark.parametrize("endpoint", WRITING, ids=str)
def test_no_body_says_whose_something_is_or_who_may_what(world: World, endpoint: Endpoint) -> None:
    smuggled = smuggling(world)
    for authority in DECLARED[endpoint].authorities:
        url, good = world.url(endpoint, authority), world.body(endpoint, authority)
        body = {**good, **smuggled}
        for name, value in good.items():
            if name == "device" and isinstance(value, dict):
                body[name] = {**value, **smuggled}
        before = owners()
        assert world.ask(authority, endpoint.method, url, body).status_code < 500
        after = owners()
        assert {key: after.get(key) for key in before} == before
        home = world.user(authority).tenant_id
        for (kind, key), row in after.items():
            if (kind, key) in before:
                continue
            assert row["created_time"] > 5
            assert not row.get("is_default") or "tenant" in endpoint.path  # a new tenant has a default profile
            assert row.get("customer_id") is None or DECLARED[endpoint].gives
            assert row.get("customer_id") != world.foreign_customer.pk
            if authority != "S":
                assert row.get("tenant_id", home) == home
                assert row.get("authority") != Authority.SYS_ADMIN


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def smuggling(world: World) -> dict[str, Any]:
    """Members that would be another's, or would be more than the caller is, if anybody believed them."""
    tenant, customer = str(world.cast.globex.pk), str(world.foreign_customer.pk)
    return {
        **dict.fromkeys(("tenant_id", "tenant", "owner", "owner_id"), tenant),
        **dict.fromkeys(("customer_id", "customer"), customer),
        "tenantId": {"entityType": "TENANT", "id": tenant},
        "customerId": {"entityType": "CUSTOMER", "id": customer},
        "ownerId": {"entityType": "TENANT", "id": tenant},
        **dict.fromkeys(("is_default", "default", "isDefault", "is_superuser", "is_staff"), True),
        **dict.fromkeys(("created_time", "createdTime"), 5),
        "authority": Authority.SYS_ADMIN,
        "scopes": ["SYS_ADMIN"],
    }


def owners() -> dict[Any, Any]:
    """Whose everything is, and who may what."""
    rows: dict[Any, Any] = {}
    for kind, door in registered().items():
        names = [
            name for name in ("tenant_id", "customer_id", "is_default", "created_time") if hasattr(door.model, name)
        ]
        for row in door.model._default_manager.values("pk", *names):
            rows[kind, row.pop("pk")] = row
    for user in User.objects.all():
        rows[EntityType.USER, user.pk] |= {"authority": user.authority, "is_superuser": user.is_superuser}
    return rows


def without_times(text: str) -> str:
    return re.sub(r'"timestamp":\d+', "", text)


def check_error(endpoint: Endpoint, answer: Any) -> None:
    """The body of an error is that of the endpoint's family."""
    body = answer.json()
    assert body["status_code" if endpoint.ours else "status"] == answer.status_code
    assert isinstance(body["detail" if endpoint.ours else "message"], str)


def test_the_walk_covers_both_families() -> None:
    found = {str(endpoint) for endpoint in ENDPOINTS}
    assert {"GET api/tenant/devices", "PUT api/v1/devices/<pk>", "PUT api/devices/<pk> (ours)"} <= found
    assert {
        f"GET api/{name}{whose}" for name in ("devices", "customers", "tenants") for whose in ("", " (ours)")
    } <= found
    assert "POST api/telemetry/<entity_type>/<entity_id>/attributes (ours)" in found
    assert (
        len(GUARDED) > 150 and len(WRITING) > 50 and len(NAMING) > 80 and {"device", "user", "tenant"} <= KINDS.keys()
    )
