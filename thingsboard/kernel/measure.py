"""What is counted while the platform works, to be read whenever somebody asks for it."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

# Upper bounds of a histogram's buckets, in seconds; what is above goes into one more.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Histogram:
    """How long something took, in seconds. `counts` has one place per bucket of BUCKETS and a last one for the rest."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Stats:
    """Counters of a Batcher: messages, their bytes and batches that are settled, and what became of them."""

    messages: int = 0
    bytes: int = 0
    batches: int = 0
    refused: int = 0
    retries: int = 0
    bisections: int = 0
    seconds: Histogram = field(default_factory=Histogram)  # of a batch, from its decoding to its commit
