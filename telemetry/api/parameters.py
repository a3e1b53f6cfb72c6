"""Query parameters of history and of deletion, for both API families: the same rules under camelCase or snake_case names."""

from dataclasses import dataclass
from datetime import UTC

from telemetry.intervals import IntervalType, zone
from telemetry.points import Aggregation
from telemetry.query import LARGEST_LIMIT, HistoryQuery
from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest

LAST_MS = 2**53
MOST_KEYS = 1000  # of one request


@dataclass(frozen=True, slots=True)
class Names:
    """What a family calls its parameters."""

    start: str = "startTs"
    end: str = "endTs"
    interval_type: str = "intervalType"
    time_zone: str = "timeZone"
    order: str = "orderBy"
    delete_all: str = "deleteAllDataForKeys"
    delete_latest: str = "deleteLatest"
    rewrite_latest: str = "rewriteLatestIfDeleted"


THINGSBOARD = Names()
OURS = Names(
    "start_ts", "end_ts", "interval_type", "time_zone", "order_by", "delete_all", "delete_latest", "rewrite_latest"
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Which points are to go; times in ms, None where there is no bound."""

    keys: list[str]
    start_ts: int | None
    end_ts: int | None
    delete_latest: bool
    rewrite_latest: bool


def keys_of(query: Query) -> list[str] | None:
    """The asked keys: `keys=a,b` and, for names that hold commas, repeated `key=`. None when there are none."""
    keys = [part.strip() for text in query.all("keys") for part in text.split(",") if part.strip()]
    keys = list(dict.fromkeys([*keys, *query.all("key")]))
    if len(keys) > MOST_KEYS:
        raise BadRequest(f"Too many keys: {len(keys)}; at most {MOST_KEYS} may be asked for at once")
    return keys or None


def required_keys(query: Query) -> list[str]:
    """The keys of a request that must name some. Raises BadRequest with ThingsBoard's words."""
    keys = keys_of(query)
    if keys is None:
        raise BadRequest("Empty keys: expected keys=a,b")
    return keys


def wants_history(query: Query, names: Names) -> bool:
    """Whether a range of time is asked for, else it is the latest values."""
    return {names.start, names.end} <= query.keys()


def history_query(query: Query, names: Names, keys: list[str]) -> HistoryQuery:
    """What is asked of history. Raises BadRequest with a sentence.

    An aggregation without an interval is none at all, as ThingsBoard has it.
    """
    for name in (names.start, names.end):
        if name not in query:
            raise BadRequest(f"Required request parameter '{name}' is not present")
    agg = Aggregation(_choice(query, "agg", "NONE", tuple(Aggregation)))
    kind = IntervalType(_choice(query, names.interval_type, "MILLISECONDS", tuple(IntervalType)))
    interval = query.whole("interval", 0, low=0, high=LAST_MS)
    if kind is IntervalType.MILLISECONDS and interval == 0:
        agg = Aggregation.NONE
    try:
        where = UTC if kind is IntervalType.MILLISECONDS else zone(query.get(names.time_zone, ""))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return HistoryQuery(
        keys=keys,
        start_ts=_time(query, names.start),
        end_ts=_time(query, names.end),
        interval_ms=interval,
        agg=agg,
        limit=query.whole("limit", 100, low=1, high=LARGEST_LIMIT),
        descending=_choice(query, names.order, "DESC", ("ASC", "DESC")) == "DESC",
        interval_type=kind,
        time_zone=where,
    )


def deletion(query: Query, names: Names) -> Deletion:
    """Which points are to be deleted. Raises BadRequest with a sentence."""
    keys = required_keys(query)
    start = end = None
    if not query.flag(names.delete_all):
        if not wants_history(query, names):
            raise BadRequest(
                f"When {names.delete_all} is false, start and end timestamp values shouldn't be empty: "
                f"expected {names.start} and {names.end}"
            )
        start, end = _time(query, names.start), _time(query, names.end)
    return Deletion(keys, start, end, query.flag(names.delete_latest, True), query.flag(names.rewrite_latest))


def _choice(query: Query, name: str, default: str, choices: tuple[str, ...]) -> str:
    found = query.get(name, default).upper()
    if found not in choices:
        raise BadRequest(f"Unknown {name} '{found[:40]}'; expected one of {', '.join(choices)}")
    return found


def _time(query: Query, name: str) -> int:
    return query.whole(name, 0, low=0, high=LAST_MS)
