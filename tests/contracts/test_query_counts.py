"""A read costs as many queries with many rows as with one, and as many as queries.json says.

`TB_WRITE_BASELINES=1 python -m pytest tests/contracts/test_query_counts.py -n 0` writes that file anew.
"""

import json
import os
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.services import session_cache
from tests.cast import Cast
from tests.contracts.contract import OPEN
from tests.contracts.declared import KINDS
from tests.contracts.routes import ENDPOINTS, Endpoint
from tests.contracts.world import World, contract_of

BASELINES = Path(__file__).with_name("queries.json")
READING = {
    each: found for each in ENDPOINTS if each.method == "GET" and (found := contract_of(each)) and found.who != OPEN
}
FURTHER = 4  # of everything
HOW = "TB_WRITE_BASELINES=1 python -m pytest tests/contracts/test_query_counts.py -n 0"

Counts = dict[str, dict[str, int]]


def test_reads_cost_as_many_queries_as_they_did_however_many_rows_there_are(cast: Cast) -> None:
    world = World(cast)
    urls = {}
    for endpoint, contract in READING.items():
        urls.update({(endpoint, authority): world.url(endpoint, authority) for authority in contract.authorities})
    grow(world, 1)  # an empty list costs less
    counts(world, urls)  # whatever a process reads once
    few = counts(world, urls)
    for number in range(2, FURTHER + 1):
        grow(world, number)
    many = counts(world, urls)
    growing = {name: (few[name], many[name]) for name in few if few[name] != many[name]}
    assert not growing, f"These cost more queries the more rows there are (before, after): {growing}"
    if os.environ.get("TB_WRITE_BASELINES"):
        BASELINES.write_text(json.dumps(few, indent=1, sort_keys=True) + "\n")
    baselines: Counts = json.loads(BASELINES.read_text())
    changed = {
        name: (baselines.get(name), few.get(name)) for name in baselines | few if baselines.get(name) != few.get(name)
    }
    assert not changed, f"Not as many queries as {BASELINES.name} says (there, now). If that is right: {HOW}\n{changed}"


def grow(world: World, number: int) -> None:
    """Make one more of everything."""
    for kind in KINDS.values():
        if kind.more:
            kind.more(world, number)


def counts(world: World, urls: dict[tuple[Endpoint, str], str]) -> Counts:
    """How many queries each read costs, by endpoint and authority."""
    found: Counts = {}
    for (endpoint, authority), url in urls.items():
        session_cache.cache.clear()  # which else costs a query once a second
        with CaptureQueriesContext(connection) as queries:
            answer = world.ask(authority, "GET", url)
        assert answer.status_code < 500, answer.content
        found.setdefault(str(endpoint), {})[authority] = len(queries)
    return found
