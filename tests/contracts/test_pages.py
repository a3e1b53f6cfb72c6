"""What a person sees of our own API: every read as a page, and the description of all of it."""

import re

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tests.cast import Cast, api
from tests.contracts.contract import OPEN
from tests.contracts.routes import ENDPOINTS, Endpoint
from tests.contracts.world import World, contract_of

OURS = [each for each in ENDPOINTS if each.path.startswith("api/v1/") and "/auth/" not in each.path]
PAGES = [each for each in OURS if each.method == "GET" and (found := contract_of(each)) and found.who != OPEN]


@pytest.mark.parametrize("endpoint", PAGES, ids=str)
def test_every_read_is_a_page_in_a_browser_that_shows_nothing_of_others(cast: Cast, endpoint: Endpoint) -> None:
    world, contract = World(cast), contract_of(endpoint)
    assert contract and world.foreign_device_profile and world.foreign_user and world.cast.foreign_device
    for authority in contract.authorities:
        url = world.url(endpoint, authority)
        answer = api(world.user(authority)).get(f"/{url}", HTTP_ACCEPT="text/html")
        assert answer.status_code == contract.answers.get(authority, 200)
        assert answer["Content-Type"].split(";")[0] == "text/html"
        page = answer.content.decode()
        if authority != "S":
            assert "Globex" not in page and "elsewhere.example" not in page and "Elsewhere" not in page


def test_the_description_has_every_route_of_our_own_api_and_no_doubts() -> None:
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    doubts = [str(each) for cache in (GENERATOR_STATS._error_cache, GENERATOR_STATS._warn_cache) for each in cache]
    described = {
        (method.upper(), re.sub(r"\{(\w+)\}", "<>", path.strip("/")))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    missing = (
        {(each.method, re.sub(r"<\w+>", "<>", each.path.strip("/"))) for each in OURS}
        - described
        - {("GET", "api/v1/schema")}
    )
    assert not missing
    assert not [doubt for doubt in doubts if re.search("identical names|authenticator|/v1/.*Error", doubt)]


@pytest.mark.parametrize("path", ["/swagger-ui", "/redoc"])
def test_the_description_is_shown_without_an_outside_host(cast: Cast, path: str) -> None:
    page = api(None).get(path).content.decode()
    assert "/static/" in page and "/api/v1/schema" in page
    assert re.findall(r'(?:src|href)="https?://[^"]*"', page) == []


def test_the_root_leads_to_every_collection(cast: Cast) -> None:
    root = api(cast.alice).get("/api/v1/").json()
    assert root["devices"] == "http://testserver/api/v1/devices"
    lists = {each.path.removeprefix("api/v1/") for each in OURS if each.method == "GET" and "<" not in each.path}
    assert set(root) == {
        name for name in lists if name and "/" not in name and name not in {"schema", "refusals", "erasures"}
    }
    for url in root.values():
        assert 200 in {api(user).get(url).status_code for user in (cast.alice, cast.sam)}
