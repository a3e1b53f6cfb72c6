"""What a device's page shows of its values: the latest on pages, and the history of one of them as a chart."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet

from devices.admin.chart import Chart, draw
from devices.admin.times import readable
from devices.services import activity
from telemetry import services as telemetry
from telemetry.models import Key, TsLatest
from telemetry.points import Aggregation, Value
from telemetry.query import HistoryQuery
from tenants.admin.paging import CappedPaginator
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.time import now_ms

PER_PAGE = 25
LONGEST_VALUE = 200  # characters
INTERVALS = 300
HOUR_MS = 3_600_000
WINDOWS = {"1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720}  # hours
DEFAULT_WINDOW = "24h"


@dataclass(frozen=True, slots=True)
class LatestValue:
    """One series' newest point, as text."""

    key: str
    value: str
    time: str


@dataclass(frozen=True, slots=True)
class History:
    """A key's values of a window as a chart, or why there is none."""

    key: str
    window: str
    chart: Chart | None = None
    note: str = ""


def latest_page(device_id: uuid.UUID, number: Any) -> tuple[Page[Any], list[LatestValue]]:
    """A page of a device's keys, and what their newest values are."""
    held = TsLatest.objects.filter(entity_id=device_id).values("key_id")
    names: QuerySet[Any, Any] = Key.objects.filter(id__in=held).order_by("name").values_list("name", flat=True)
    page = CappedPaginator(names, PER_PAGE).get_page(number)
    points = telemetry.latest(device_id, list(page.object_list))
    return page, [LatestValue(name, text_of(point.value), readable(point.ts)) for name, point in points.items()]


def history(device_id: uuid.UUID, key: str, window: str) -> History:
    """The chart of a key: averages over so many intervals of the window, which ends now."""
    window = window if window in WINDOWS else DEFAULT_WINDOW
    if not key:
        return History("", window)
    end = now_ms()
    start = end - WINDOWS[window] * HOUR_MS
    query = HistoryQuery([key], start, end, interval_ms=(end - start) // INTERVALS, agg=Aggregation.AVG)
    try:
        found = telemetry.history(device_id, query).get(key, [])
    except PlatformError as error:
        return History(key, window, note=error.message)
    points = [(point.ts, float(point.value)) for point in found if isinstance(point.value, int | float)]
    if not points:
        return History(key, window, note="No numbers of that key in this time.")
    return History(key, window, draw(points, start, end))


def activity_lines(device_id: uuid.UUID) -> list[tuple[str, str]]:
    """Whether it is active, and when it was heard; times in UTC."""
    return [(name, readable(value)) for name, value in sorted(activity.times(device_id).items())]


def text_of(value: Value | None) -> str:
    """A value as text of bounded length."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
