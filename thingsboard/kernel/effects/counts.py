"""What became of work outside, counted over all workers, in Redis: for metrics, so it may be lost."""

from collections.abc import Mapping

import redis

from thingsboard.kernel.bus import client

KEY = "tb:effects:results"
RESULTS = ("done", "failed", "put_off", "dead", "taken_over")


def count(results: Mapping[str, int]) -> bool:
    """Add to the counts; False when they could not be told. Blocks as `kernel.bus.publish`."""
    try:
        pipeline = client().pipeline(transaction=False)
        for name, number in results.items():
            pipeline.hincrby(KEY, name, number)
        pipeline.execute()
    except (redis.RedisError, OSError):
        return False
    return True


def counted() -> dict[str, int] | None:
    """The counts by result since Redis lost its data; None when they cannot be read."""
    try:
        found = client().hgetall(KEY)
    except (redis.RedisError, OSError):
        return None
    known = {name.decode(): int(number) for name, number in found.items()}  # type: ignore[union-attr]
    return {name: known.get(name, 0) for name in RESULTS}
