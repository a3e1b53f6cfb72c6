"""How long acknowledgements took, as a histogram: a run of any length costs the same memory."""

FINE_PER_S = 10_000  # buckets of 0.1 ms up to one second
COARSE_PER_S = 10  # then of 100 ms
COARSE_BUCKETS = 36_000  # up to an hour; longer ones count as an hour


class Latencies:
    """Counts by latency. Quantiles are exact to 0.1 ms below one second and to 0.1 s above it."""

    __slots__ = ("_coarse", "_fine", "longest")

    def __init__(self) -> None:
        self._fine = [0] * FINE_PER_S
        self._coarse = [0] * COARSE_BUCKETS
        self.longest = 0.0

    def add(self, seconds: float, count: int = 1) -> None:
        """Count `count` acknowledgements that took `seconds`."""
        if seconds > self.longest:
            self.longest = seconds
        bucket = int(seconds * FINE_PER_S)
        if bucket < FINE_PER_S:
            self._fine[bucket] += count
        else:
            self._coarse[min(int(seconds * COARSE_PER_S), COARSE_BUCKETS - 1)] += count

    def __len__(self) -> int:
        return sum(self._fine) + sum(self._coarse)

    def quantile(self, share: float) -> float:
        """The latency in seconds that `share` (0 to 1) of the acknowledgements stayed within; 0.0 without any."""
        wanted = share * len(self)
        if not wanted:
            return 0.0
        seen = 0
        for buckets, per_second in ((self._fine, FINE_PER_S), (self._coarse, COARSE_PER_S)):
            for bucket, count in enumerate(buckets):
                seen += count
                if count and seen >= wanted:
                    return min((bucket + 1) / per_second, self.longest)  # the bucket's upper end: never flatter
        return self.longest
