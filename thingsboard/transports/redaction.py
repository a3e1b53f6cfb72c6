"""Log lines without the tokens of devices, whoever writes them (Daphne and Django name paths in some of theirs)."""

import logging
import re
from urllib.parse import unquote

from devices.services.reserved import RESERVED_TOKENS

_TOKEN = re.compile(r"(/api/v1/+)([^/?#\s\"'>]+)")


class RedactingFormatter(logging.Formatter):
    """Writes `/api/v1/***/telemetry` for a device's path; our own API's paths stay as they are."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, its traceback included."""
        line = super().format(record)
        return _TOKEN.sub(_hide, line) if "/api/v1/" in line else line


def _hide(match: re.Match[str]) -> str:
    return match[0] if unquote(match[2]) in RESERVED_TOKENS else f"{match[1]}***"
