"""One prefix, two families: what is a device's path, and what the log shows of it."""

import logging
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from devices.services.reserved import RESERVED_TOKENS
from thingsboard.settings.logging import LOGGING
from thingsboard.transports.http.app import addressed
from thingsboard.transports.redaction import RedactingFormatter


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_every_route_of_ours_under_the_devices_prefix_begins_with_a_reserved_word() -> None:
    found = list(routes(get_resolver().url_patterns))
    assert "api/auth/login" in found
    for route in found:
        if route.startswith("api/v1/") and route != "api/v1/":  # which no token can be meant by
            assert route.removeprefix("api/v1/").partition("/")[0] in RESERVED_TOKENS, route


def test_reserved_words_and_paths_without_a_token_are_djangos() -> None:
    for word in RESERVED_TOKENS:
        assert addressed(f"/api/v1/{word}") is None
        assert addressed(f"/api/v1/{word}/telemetry") is None
    for path in ("/", "/api/v1", "/api/v1/", "/api/v1//telemetry", "/api/auth/login", "/health/live"):
        assert addressed(path) is None
    assert addressed("/api/v1/A1_TEST_TOKEN/telemetry") == ("A1_TEST_TOKEN", "telemetry")


def test_the_log_never_shows_a_token() -> None:
    formatter = LOGGING["formatters"]["line"]  # type: ignore[index]
    assert formatter["()"] == f"{RedactingFormatter.__module__}.{RedactingFormatter.__qualname__}"
    record = logging.LogRecord("x", logging.WARNING, "", 0, "<Request method=POST uri=%s clientproto>", None, None)
    shown = {
        "/api/v1/A1_TEST_TOKEN/telemetry": "/api/v1/***/telemetry",
        "/api/v1/A1%20B?x=/api/v1/C": "/api/v1/***?x=/api/v1/***",
        "/api/v1//A1/telemetry": "/api/v1//***/telemetry",
        "/api/v1/devices/17": "/api/v1/devices/17",
        "/api/device/17": "/api/device/17",
    }
    for path, expected in shown.items():
        record.args = (path,)
        assert RedactingFormatter("%(message)s").format(record) == f"<Request method=POST uri={expected} clientproto>"
