"""How many examples hypothesis tries: few and always the same in every run, more and others with TB_TEST_EXAMPLES."""

import os

from hypothesis import HealthCheck, settings

NAME = "platform"


def load() -> None:
    """Register the profile and use it. A test may ask for fewer with `few`."""
    number = int(os.environ.get("TB_TEST_EXAMPLES", "0"))
    settings.register_profile(
        NAME,
        max_examples=number or 100,
        derandomize=not number,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    settings.load_profile(NAME)


def few(share: float) -> settings:
    """A share of the profile's examples, for tests whose examples take long."""
    return settings(max_examples=max(5, int(settings.get_profile(NAME).max_examples * share)))
