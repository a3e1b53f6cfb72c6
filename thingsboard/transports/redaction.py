"""Log lines without the tokens of devices, whoever writes them (Daphne and Django name paths in some of theirs); and what may
be shown of texts that come from strangers.
"""

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


def beginning(token: str) -> str:
    """As much of a token as its owner recognises and nobody else can use: a third of it, four characters at most."""
    return printable(token[: min(4, len(token) // 3)], 4)


def printable(text: str, longest: int) -> str:
    """The text cut to `longest` characters, with a question mark for each that cannot be printed or stored."""
    text = text[:longest]
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
