"""How an effects worker works, by the settings."""

from typing import NamedTuple, Self

from django.conf import settings as django_settings

from rules.effects.places import Limits


class Pace(NamedTuple):
    """Times in seconds, and how often one work is tried."""

    lease: float
    sweep: float
    retry: float
    attempts: int
    stop: float
    idle_client: float
    clients: int

    @classmethod
    def from_settings(cls) -> Self:
        """As the TB_EFFECT* settings say."""
        s = django_settings
        return cls(
            s.TB_EFFECT_LEASE_SECONDS, s.TB_EFFECT_SWEEP_SECONDS, s.TB_EFFECT_RETRY_SECONDS, s.TB_EFFECT_ATTEMPTS,
            s.TB_EFFECT_STOP_SECONDS, s.TB_EFFECT_CLIENT_IDLE_SECONDS, s.TB_EFFECT_CLIENTS,
        )  # fmt: skip


def limits_from_settings() -> Limits:
    """As the TB_EFFECTS_* settings say."""
    s = django_settings
    return Limits(s.TB_EFFECTS_AT_ONCE, s.TB_EFFECTS_PER_TENANT, s.TB_EFFECTS_PER_DESTINATION, s.TB_EFFECTS_BYTES)
