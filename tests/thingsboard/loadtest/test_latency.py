"""The histogram of acknowledgement latencies."""

import pytest

from thingsboard.loadtest.latency import Latencies


def test_quantiles_are_within_a_bucket_and_never_flatter() -> None:
    latencies = Latencies()
    for millisecond in range(1, 1001):
        latencies.add(millisecond / 1000 - 0.00005)
    assert latencies.quantile(0.5) == pytest.approx(0.5, abs=0.0001)
    assert latencies.quantile(0.99) == pytest.approx(0.99, abs=0.0001)
    assert latencies.quantile(1.0) == latencies.longest == pytest.approx(0.99995)


def test_latencies_above_a_second_are_kept_to_a_tenth() -> None:
    latencies = Latencies()
    latencies.add(0.001, 98)
    latencies.add(12.34, 2)
    assert latencies.quantile(0.5) == pytest.approx(0.001, abs=0.00011)
    assert latencies.quantile(0.99) == pytest.approx(12.34, abs=0.1)
    assert len(latencies) == 100


def test_without_acknowledgements_the_quantiles_are_zero() -> None:
    assert Latencies().quantile(0.99) == 0.0


def test_a_day_long_latency_is_counted_and_not_an_error() -> None:
    latencies = Latencies()
    latencies.add(86_400)
    assert latencies.quantile(0.5) == pytest.approx(3600)
    assert latencies.longest == 86_400
