"""Everybody is there."""

from tests.telemetry.live.screen import people, shared_web

__all__ = ["people", "shared_web"]
