"""What the processes that serve devices tell Prometheus (docs/reference/metrics.md).

Nothing is counted for it while messages pass: everything is read, when somebody asks, from what the parts keep anyway.
"""

import hmac
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from telemetry.fanout import fanout
from thingsboard.kernel.batch import Batcher
from thingsboard.kernel.disk import watch
from thingsboard.kernel.measure import BUCKETS
from thingsboard.transports.backlog import BacklogWatch
from thingsboard.transports.refusals import RefusalLog
from thingsboard.transports.tokens import TokenCache

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


def exposition(*collectors: Collector) -> "Exposition":
    """What a process tells: the given collectors, and the process' own memory, time and files."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return Exposition(registry)


class Exposition:
    """Renders a registry as text."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def render(self) -> bytes:
        """The text of Prometheus' exposition format."""
        return generate_latest(self._registry)


def permitted(authorization: str) -> bool:
    """Whether an Authorization header carries TB_METRICS_TOKEN; False where there is no such token."""
    expected = f"Bearer {settings.TB_METRICS_TOKEN}"
    return bool(settings.TB_METRICS_TOKEN) and hmac.compare_digest(authorization.encode(), expected.encode())


def gauge(name: str, text: str, value: float) -> Metric:
    """A number that goes up and down."""
    return GaugeMetricFamily(f"thingsboard_{name}", text, value)


def counter(name: str, text: str, value: float) -> Metric:
    """A number that only grows; `_total` is added to its name."""
    return CounterMetricFamily(f"thingsboard_{name}", text, value)


def labelled(family: Any, values: Iterable[tuple[str, float]]) -> Metric:
    """A family of one label with these values."""
    for label, value in values:
        family.add_metric([label], value)
    found: Metric = family
    return found


def ingest(batcher: Batcher[Any, Any]) -> Iterator[Metric]:
    """Of the pipeline to the database."""
    stats = batcher.stats
    yield counter("ingest_messages", "Messages that were settled: committed or refused.", stats.messages)
    yield counter("ingest_payload_bytes", "Their payloads.", stats.bytes)
    yield counter("ingest_refused_messages", "Messages that were refused.", stats.refused)
    yield counter("ingest_batches", "Batches, each a transaction.", stats.batches)
    yield counter("ingest_retries", "Times that the database was not available for a batch.", stats.retries)
    yield counter(
        "ingest_bisections", "Times that a batch was halved to find the message that spoils it.", stats.bisections
    )
    bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
    buckets = list(zip(bounds, accumulate(stats.seconds.counts), strict=True))
    yield HistogramMetricFamily(
        "thingsboard_ingest_commit_seconds",
        "From taking a batch to its commit, waiting for the database included.",
        buckets=buckets,
        sum_value=stats.seconds.total,
    )
    yield gauge("ingest_pending_messages", "Messages on their way to the database.", batcher.pending)
    yield gauge("ingest_pending_bytes", "Their payloads.", batcher.pending_bytes)
    yield gauge("ingest_full", "1 while senders are not read, because too much is on its way.", batcher.full)


def tokens(cache: TokenCache) -> Iterator[Metric]:
    """Of the token cache."""
    yield counter("token_cache_hits", "Tokens whose device was remembered.", cache.hits)
    yield counter("token_cache_misses", "Tokens that the database was asked for.", cache.misses)
    yield counter("token_cache_queries", "Queries that asked for them, many at a time.", cache.queries)
    yield gauge("token_cache_entries", "Tokens that are remembered.", len(cache))


def backlog(watch: BacklogWatch) -> Iterator[Metric]:
    """Of the rule engine's queue, as of the process' last look at it."""
    yield gauge(
        "rule_backlog_messages", "Messages that wait for the rule engine, of all tenants.", watch.total.messages
    )
    yield gauge("rule_backlog_bytes", "Their bytes.", watch.total.size)
    yield gauge("rule_backlog_oldest_seconds", "For how long the oldest of them waits.", watch.age())
    yield gauge("rule_backlog_withheld_tenants", "Tenants whose devices are not served for that.", len(watch.over))
    yield counter("rule_backlog_withholdings", "Times that this began for a tenant.", watch.times)
    yield gauge(
        "rule_timers", "Messages that wait for a time at rule nodes, and nodes to be woken.", watch.timers.messages
    )
    yield gauge("rule_timers_bytes", "Their bytes.", watch.timers.size)
    yield gauge("rule_timers_late_seconds", "For how long the first of them is due.", watch.late())
    outside = watch.total.outside
    yield gauge("effects_stored", "Work outside that is not done yet, of all tenants.", outside.stored)
    yield gauge("effects_running", "Of which somebody works on.", outside.running)
    yield gauge("effects_bytes", "Bytes of its messages.", outside.size)
    yield gauge("effects_oldest_seconds", "For how long the oldest of it is stored.", watch.age_outside())
    yield labelled(
        CounterMetricFamily(
            "thingsboard_effects", "Work outside that was begun, by what became of it.", labels=["result"]
        ),
        watch.results.items(),
    )


def house(log: RefusalLog) -> Iterator[Metric]:
    """Of what every process has: the list of refusals, news for live subscriptions, the database's disk."""
    yield gauge("refusals_unwritten", "Kinds of refusals that are not in the database yet.", log.waiting)
    yield counter("refusals_dropped", "Refusals that could not be written for five minutes.", log.dropped)
    yield gauge(
        "live_untold_values", "Values that are committed and not told to live subscriptions yet.", fanout.waiting
    )
    yield counter("live_dropped_values", "Values that were not told; subscriptions read them.", fanout.dropped)
    disk = watch()
    short = disk.shortage() is not None
    if disk.free is not None:
        yield gauge("disk_free_bytes", "Free on the disk of the database, where that is watched.", disk.free)
    yield gauge("disk_short", "1 while nothing is stored because the disk is nearly full.", short)
