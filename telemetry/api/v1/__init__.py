"""Telemetry in our own API: snake_case, typed values, `{"data": ...}`, pages that a browser can look at."""
