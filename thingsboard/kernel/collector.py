"""The garbage collector of processes that make many short-lived objects."""

import gc


def tune_collector() -> None:
    """What is there now stays; the collector then looks rarely (it halved the connects a second, mqtt.md 4, and took a quarter
    of what rule chains cost).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
