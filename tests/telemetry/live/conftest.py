"""Everybody is there."""

from tests.telemetry.live.screen import people

__all__ = ["people"]
