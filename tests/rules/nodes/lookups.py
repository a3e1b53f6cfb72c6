"""What nodes may look up, in memory: canned answers, and a record of what was asked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from rules.node.lookups import Credentials, Sampling, Walk, Window
from telemetry.points import Point
from thingsboard.kernel.ids import EntityId, EntityType


class Lookups:
    """`nearest` is where each entity gets, whatever the walk; series are answered without aggregation."""

    def __init__(self, asked: list[str]) -> None:
        self.nearest: dict[EntityId, EntityId] = {}
        self.names: dict[tuple[EntityType, str], EntityId] = {}
        self.secrets: dict[EntityId, Credentials] = {}
        self.series: dict[EntityId, dict[str, list[Point]]] = {}
        self.memory: dict[tuple[str, EntityId], Any] = {}
        self.walks: list[Walk] = []
        self.windows: list[tuple[Window, Sampling]] = []
        self._asked = asked

    def related(self, walk: Walk, entities: Collection[EntityId]) -> Mapping[EntityId, EntityId]:
        self._asked.append("related")
        self.walks.append(walk)
        return {each: self.nearest[each] for each in entities if each in self.nearest}

    def named(self, type: EntityType, names: Collection[str]) -> Mapping[str, EntityId]:
        self._asked.append("named")
        return {name: self.names[type, name] for name in names if (type, name) in self.names}

    def credentials(self, devices: Collection[EntityId]) -> Mapping[EntityId, Credentials]:
        self._asked.append("credentials")
        return {each: self.secrets[each] for each in devices if each in self.secrets}

    def history(self, windows: Sequence[Window], sampling: Sampling) -> Iterator[Mapping[str, Sequence[Point]]]:
        self._asked.append("history")
        for window in windows:
            self.windows.append((window, sampling))
            series = self.series.get(window.entity, {})
            found = {
                key: sorted(
                    (point for point in series.get(key, ()) if window.start_ts <= point.ts < window.end_ts),
                    key=lambda point: point.ts,
                    reverse=sampling.descending,
                )[: sampling.limit]
                for key in window.keys
            }
            yield {key: points for key, points in found.items() if points}

    def remembered(self, purpose: str, entities: Collection[EntityId]) -> Mapping[EntityId, Any]:
        self._asked.append("remembered")
        return {each: self.memory[purpose, each] for each in entities if (purpose, each) in self.memory}

    def remember(self, purpose: str, entity: EntityId, value: Any) -> None:
        self.memory[purpose, entity] = value
