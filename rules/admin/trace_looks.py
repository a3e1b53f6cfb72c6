"""What the page of a trace shows: bars on an axis of time, and what each node made of the message. Pure: numbers and texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from rules import registry
from rules.models import Trace

SHORTEST_BAR = 0.6  # per cent of the axis: what took next to nothing is still seen
MOST_MEMBERS = 100  # lines of one difference
LONGEST_VALUE = 300  # characters


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a node changed. `sign`: + came, - went, ~ is another one."""

    sign: str
    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """How the message left: by which label, and what it was then. `changes` None: there was no change."""

    label: str
    failed: bool
    note: str
    error: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class StepLine:
    """A node as a row. `left` and `width` are per cent of the axis."""

    number: int
    name: str
    kind: str
    chain: str  # where the row is the first one of a chain; else ""
    depth: int
    came: str
    time: str
    share: str  # of which batch, "" where it ran alone
    left: float
    width: float
    failed: bool
    outputs: Sequence[Output]
    type: str
    originator: str
    data: str
    metadata: Sequence[tuple[str, str]]
    stored: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the whole time, in per cent of it."""

    name: str
    css: str
    time: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class TracePage:
    """Everything on it."""

    segments: Sequence[Segment]
    steps: Sequence[StepLine]
    ticks: Sequence[str]
    omitted: int = 0


def duration(us: float) -> str:
    """A time in microseconds as people read it."""
    if us < 1000:
        return f"{us:.0f} µs"
    if us < 1_000_000:
        return f"{us / 1000:.3g} ms"
    if us < 120_000_000:
        return f"{us / 1e6:.3g} s"
    return f"{us / 6e7:.1f} min"


def page_of(trace: Trace) -> TracePage:
    """The page of a trace."""
    messages: list[dict[str, Any]] = trace.timeline.get("messages", [])
    steps = trace.steps
    whole = max(sum(step["us"] for step in steps), 1e-9)
    lines = [_line(number, steps, messages, whole) for number in range(len(steps))]
    ticks = [duration(whole * part / 4) for part in range(5)] if steps else []
    return TracePage(_segments(trace), lines, ticks, trace.timeline.get("omitted", 0))


def _segments(trace: Trace) -> list[Segment]:
    """Where the time went: in the queue, in nodes, in writing."""
    parts = [
        ("Waiting in the queue", "wait", trace.wait_us),
        ("In nodes", "run", trace.run_us),
        ("Writing what they wanted", "write", trace.write_us),
    ]
    whole = max(trace.total_us, 1)
    found, left = [], 0.0
    for name, css, us in parts:
        width = us * 100 / whole
        found.append(Segment(name, css, duration(us), round(left, 2), round(max(width, SHORTEST_BAR), 2)))
        left += width
    return found


def _line(number: int, steps: Sequence[Mapping[str, Any]], messages: Sequence[Any], whole: float) -> StepLine:
    step = steps[number]
    before = messages[step["in"]]
    previous = steps[number - 1] if number else None
    outputs = [_output(each, before, messages) for each in step["out"]]
    kind = registry.find(step["nodeType"])
    width = max(step["us"] * 100 / whole, SHORTEST_BAR)
    entered = previous is None or previous["chain"] != step["chain"]
    return StepLine(
        number=number + 1,
        name=step["nodeName"] or "(no name)",
        kind=kind.NAME if kind else str(step["nodeType"]).rpartition(".")[2],
        chain=(step["chainName"] or step["chain"]) if entered else "",
        depth=min(step["depth"], 6),
        came=_came(number, steps),
        time=duration(step["us"]),
        share=f"its share of {step['batch']}" if step["batch"] > 1 else "",
        left=round(min(step["at"] * 100 / whole, 100 - width), 2),
        width=round(width, 2),
        failed=any(each.failed for each in outputs),
        outputs=outputs,
        type=before["type"],
        originator=f"{before['originator']['entityType']} {before['originator']['id']}",
        data=_pretty(before["data"]),
        metadata=sorted(before["metadata"].items()),
        stored=bool(before.get("stored")),
        cut=bool(before.get("cut")),
    )


def _came(number: int, steps: Sequence[Mapping[str, Any]]) -> str:
    """Where the message came from, unless that is the row above."""
    if steps[number].get("back"):
        return "back from where it waited"
    origin = steps[number]["from"]
    if origin is None or origin == number - 1:
        return ""
    by = steps[number]["by"]
    return f"from {origin + 1}. {steps[origin]['nodeName']}" + (f" by {by}" if by else "")


def _output(each: Mapping[str, Any], before: Mapping[str, Any], messages: Sequence[Any]) -> Output:
    failed = each["relation"].lower() == "failure"
    if each.get("enters"):
        label, note = "into the chain", ""
    elif each.get("waits"):
        label, note = "waits", "goes on later, in a trace of its own"
    else:
        label = each["relation"]
        note = "back to the calling chain" if each.get("leaves") else ""
        if each.get("ends"):
            note = "leads nowhere: the message fails" if failed else "ends here"
    after = messages[each["msg"]]
    changes = [] if after is before or each.get("enters") else difference(before, after)
    return Output(label, failed, note, each.get("error", ""), changes)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What became of a message, line by line; of data that are objects, member by member."""
    found = []
    if before["type"] != after["type"]:
        found.append(Change("~", "type", before["type"], after["type"]))
    if before["originator"] != after["originator"]:
        one, other = (f"{each['originator']['entityType']} {each['originator']['id']}" for each in (before, after))
        found.append(Change("~", "originator", one, other))
    found += _members("metadata", before["metadata"], after["metadata"])
    if before["data"] != after["data"]:
        old, new = _object(before["data"]), _object(after["data"])
        if old is None or new is None:
            found.append(Change("~", "data", _short(before["data"]), _short(after["data"])))
        else:
            found += _members("data", old, new)
    return found[:MOST_MEMBERS]


def _members(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    found = []
    for name in {**old, **new}:
        if name not in new:
            found.append(Change("-", f"{what}.{name}", _text(old[name])))
        elif name not in old:
            found.append(Change("+", f"{what}.{name}", "", _text(new[name])))
        elif old[name] != new[name] or type(old[name]) is not type(new[name]):
            found.append(Change("~", f"{what}.{name}", _text(old[name]), _text(new[name])))
    return found


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str:
    return _short(value if isinstance(value, str) else orjson.dumps(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _pretty(text: str) -> str:
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return text
