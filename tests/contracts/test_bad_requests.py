"""No body and no query breaks any route: whatever is sent is refused in words, or counts for nothing."""

import json
from typing import Any

import pytest

from tests.cast import Cast
from tests.contracts.routes import ENDPOINTS, Endpoint
from tests.contracts.test_walk import check_error
from tests.contracts.world import World, contract_of

# A twin is the same view as its resource.
READING = [
    each
    for each in ENDPOINTS
    if each.method == "GET" and contract_of(each) and not each.twin and each.path != "api/v1/schema"  # reads no query
]
WRITING = [each for each in ENDPOINTS if (found := contract_of(each)) and found.body is not None and not each.twin]

WRONG_BODIES: list[Any] = [
    b"[]", b'"text"', b"5", b"null", b"true", b"{", b"\xff", b"", b"[[1]]",
    b'{"a":' * 2000 + b"1" + b"}" * 2000, b"[" * 100_000,
]  # fmt: skip
WRONG_VALUES: list[Any] = [
    None, True, 2**70, "n" * 300, "a\0b", [], {"id": "x"}, {"\0": 1}, "é" * 20_000,
]  # fmt: skip
WRONG_PARAMETERS = ["%00", "x", "-1e99999999"]
OURS = (
    "limit", "offset", "ordering", "search", "since", "until", "type", "active", "device_profile_id", "customer_id", "keys",
    "start_ts", "name", "transport_type",
)  # fmt: skip
THINGSBOARDS = (
    "pageSize", "page", "textSearch", "sortProperty", "sortOrder", "active", "deviceProfileId", "startTime", "deviceIds",
    "customerIds", "ids", "startTs", "keys",
)  # fmt: skip


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


@pytest.mark.parametrize("endpoint", WRITING, ids=str)
def test_no_body_breaks_anything(world: World, endpoint: Endpoint) -> None:
    contract = contract_of(endpoint)
    assert contract is not None
    authority = next(each for each in reversed(contract.authorities) if each not in contract.answers)
    url, good = world.url(endpoint, authority), world.body(endpoint, authority)
    for body in WRONG_BODIES:
        answer = world.ask(authority, endpoint.method, url, body)
        assert 400 <= answer.status_code < 500 or answer.status_code == 200, (body[:40], answer.content)
        if answer.status_code != 200 and "plugins/telemetry" not in endpoint.path:  # which refuses in bare text
            check_error(endpoint, answer)
    for member in [*good, "id", "version", "nobody_knows_this"]:
        for value in WRONG_VALUES:
            answer = world.ask(authority, endpoint.method, url, {**good, member: value})
            assert answer.status_code < 500, (member, value, answer.content)
    lone = json.dumps({**good, next(iter(good)): "\ud800"}).encode()
    assert world.ask(authority, endpoint.method, url, lone).status_code < 500


@pytest.mark.parametrize("endpoint", READING, ids=str)
def test_no_query_breaks_anything(world: World, endpoint: Endpoint) -> None:
    contract = contract_of(endpoint)
    assert contract is not None
    authority = contract.authorities[0]
    url = world.url(endpoint, authority)
    names = OURS if endpoint.ours else THINGSBOARDS
    queries = [f"{name}={value}" for name in names for value in WRONG_PARAMETERS]
    for value in ("%ff", "99999999999999999999", "n" * 3000, ""):
        queries.append("&".join(f"{name}={value}" for name in names))
    for query in queries:
        answer = world.ask(authority, "GET", f"{url}&{query}")
        assert answer.status_code < 500, (query[:100], answer.content)
