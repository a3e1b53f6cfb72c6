"""The chains of tenants as a batch sees them: the versions that are current when its transaction begins.

Graphs are kept by (chain, version), which never change. Which versions are current is read anew whenever the epoch was
raised, which every save does, so a batch never runs half in the old and half in the new version.
"""

import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from rules.engine.demands import TraceDemand, demands_of
from rules.engine.graph import Graph, compile_chain
from rules.models import PlanEpoch, RuleChain, RuleChainType, RuleChainVersion
from rules.node.base import STATES
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.time import now_ms

MOST_PLACES = 50_000  # compiled nodes that are kept
MOST_TENANTS = 2_000


class Current(NamedTuple):
    """The chains of a tenant: the version of each (by its 16 bytes), the root chain, b"" where there is none, and whose
    messages are traced.
    """

    versions: Mapping[bytes, int]
    root: bytes
    traced: Mapping[uuid.UUID, TraceDemand]


class ChainCache:
    """What is compiled and current, by one user at a time (each thread has its own)."""

    def __init__(self) -> None:
        self._epoch = -1
        self._current: dict[uuid.UUID, Current] = {}
        self._graphs: OrderedDict[tuple[bytes, int], Graph | None] = OrderedDict()
        self._places = 0

    def of(self, tenant_id: uuid.UUID) -> "TenantChains":
        """The tenant's chains as of now: one query, and more only after something was saved."""
        epoch = PlanEpoch.objects.values_list("epoch", flat=True).first() or 0
        if epoch != self._epoch or len(self._current) > MOST_TENANTS:
            self._current.clear()
            self._epoch = epoch
        current = self._current.get(tenant_id)
        if current is None:
            current = self._current[tenant_id] = self._read(tenant_id)
        return TenantChains(self, current)

    def graph(self, chain: bytes, version: int) -> Graph | None:
        """A version of a chain; None where it is not kept."""
        key = (chain, version)
        if key in self._graphs:
            self._graphs.move_to_end(key)
            return self._graphs[key]
        chain_id = uuid.UUID(bytes=chain)
        definition = (
            RuleChainVersion.objects.filter(chain_id=chain_id, number=version)
            .values_list("definition", flat=True)
            .first()
        )
        graph = None if definition is None else compile_chain(chain_id, version, definition)
        self._graphs[key] = graph
        self._places += _places(graph)
        while self._places > MOST_PLACES and len(self._graphs) > 1:
            _, oldest = self._graphs.popitem(last=False)
            self._places -= _places(oldest)
        return graph

    @staticmethod
    def _read(tenant_id: uuid.UUID) -> Current:
        rows = RuleChain.objects.filter(tenant_id=tenant_id, type=RuleChainType.CORE)
        known = list(rows.values_list("pk", "version", "root"))
        root = next((pk.bytes for pk, _, is_root in known if is_root), b"")
        return Current({pk.bytes: version for pk, version, _ in known}, root, demands_of(tenant_id))


def _places(graph: Graph | None) -> int:
    return 1 if graph is None else 1 + len(graph.places)


class TenantChains:
    """The chains of one tenant, for one batch. `profile_chain` is filled by whoever knows the originators."""

    def __init__(self, cache: ChainCache, current: Current) -> None:
        self._cache, self._current = cache, current
        self.profile_chain: dict[EntityId, bytes] = {}
        self._hazards: dict[bytes, frozenset[str]] = {}

    @property
    def traced(self) -> Mapping[uuid.UUID, TraceDemand]:
        """Whose messages are traced now, by originator."""
        known = self._current.traced
        if not known:
            return known
        now = now_ms()
        return {key: demand for key, demand in known.items() if demand.until > now}

    @property
    def any_traced(self) -> bool:
        """Whether messages of some originator are traced now: then those of all go through the queue."""
        return bool(self.traced)

    def debugs(self, entries: Iterable[bytes], now: int) -> bool:
        """Whether some node that messages may get to from these chains tells what happens at it (`now` in ms)."""
        return any(graph.debugs(now) for chain in entries for graph in self.reachable(chain))

    @property
    def root(self) -> bytes:
        """The root chain, b"" where there is none."""
        return self._current.root

    def graph(self, chain: bytes) -> Graph | None:
        """The current version of a chain of this tenant."""
        version = self._current.versions.get(chain)
        return None if version is None else self._cache.graph(chain, version)

    def of_originator(self, originator: EntityId) -> bytes:
        """The chain of its profile, else the root chain (compat/rule_engine.md, "Dispatch and queues")."""
        return self.profile_chain.get(originator) or self._current.root

    def of_profile(self, originator: EntityId) -> bytes:
        """The chain that its profile names; b"" where it names none."""
        return self.profile_chain.get(originator, b"")

    def reachable(self, chain: bytes) -> list[Graph]:
        """The chain and all those that its messages may get to."""
        found: dict[bytes, Graph] = {}
        waiting = [chain]
        while waiting:
            each = waiting.pop()
            if not each:  # whichever the originator's profile names
                waiting += [one for one in self._current.versions if one not in found]
                continue
            graph = None if each in found else self.graph(each)
            if graph is not None:
                found[each] = graph
                waiting += graph.calls
        return list(found.values())

    def hazards(self, chains: Collection[bytes]) -> frozenset[str]:
        """What messages that are in these chains may both read and write: nodes that touch it run in waves."""
        if len(chains) > 1:
            return frozenset().union(*map(self._touched_twice, chains))
        (chain,) = chains
        found = self._touched_twice(chain)
        # Where some messages have to wait for their wave, others must not overtake them.
        return frozenset() if all(self._is_one_nodes(state, chain) for state in found) else found

    def _touched_twice(self, chain: bytes) -> frozenset[str]:
        """What is both read and written from there on."""
        known = self._hazards.get(chain)
        if known is None:
            graphs = self.reachable(chain)
            reads = {state for graph in graphs for state in graph.reads}
            writes = {state for graph in graphs for state in graph.writes}
            known = self._hazards[chain] = STATES & reads & writes
        return known

    def _is_one_nodes(self, state: str, chain: bytes) -> bool:
        """Whether one node alone touches it, which all messages of a batch meet at once, and which sees by itself what those
        before have caused.
        """
        graphs = self.reachable(chain)
        places = [(graph, place) for graph in graphs for place in graph.places if state in place.touches]
        calls = {called for graph in graphs for called in graph.calls}
        graph, place = places[0]
        alone = len(places) == 1 and graph.chain == chain and calls.isdisjoint((chain, b""))
        return alone and place.node.IN_ORDER and graph.is_acyclic

    def may_suspend(self) -> bool:
        """Whether some node of them has messages wait."""
        return any(graph is not None and graph.suspends for graph in map(self.graph, self._current.versions))
