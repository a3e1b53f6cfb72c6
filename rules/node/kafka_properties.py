"""Properties of a Kafka producer: those of Kafka's Java client, which is what chains were written for, as librdkafka's.

Only what is listed here passes. Among librdkafka's own are some that load libraries, run commands and read files.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

LONGEST_DELIVERY_MS: Final = 40_000
LARGEST_BUFFER_KB: Final = 65_536

_JAAS: Final = re.compile(r"\b(username|password)\s*=\s*\"((?:[^\"\\]|\\.)*)\"")


def _text(value: str) -> str:
    return value.strip()


def _pem(value: str) -> str:
    return value.replace("\\n", "\n").strip()


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        return min(max(int(value), lowest), highest)

    return read


def _flag(value: str) -> str:
    return _one_of("true", "false")(value.lower())


def _one_of(*values: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        found = next((each for each in values if each.lower() == value.strip().lower()), None)
        if found is None:
            raise ValueError(f"expected one of {', '.join(values)}")
        return found

    return read


def _identification(value: str) -> str:
    return _one_of("none", "https")(value.strip() or "none")


# By the name in Java: the name here ("": it says nothing that is not so anyway), and how its value is read.
PROPERTIES: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "security.protocol": ("security.protocol", _one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")),
    "sasl.mechanism": ("sasl.mechanism", _one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")),
    "sasl.username": ("sasl.username", _text),
    "sasl.password": ("sasl.password", str),
    "ssl.truststore.certificates": ("ssl.ca.pem", _pem),
    "ssl.keystore.certificate.chain": ("ssl.certificate.pem", _pem),
    "ssl.keystore.key": ("ssl.key.pem", _pem),
    "ssl.key.password": ("ssl.key.password", str),
    "ssl.truststore.type": ("", _one_of("PEM")),
    "ssl.keystore.type": ("", _one_of("PEM")),
    "ssl.endpoint.identification.algorithm": ("ssl.endpoint.identification.algorithm", _identification),
    "client.id": ("client.id", _text),
    "compression.type": ("compression.type", _one_of("none", "gzip", "snappy", "lz4", "zstd")),
    "enable.idempotence": ("enable.idempotence", _flag),
    "max.in.flight.requests.per.connection": ("max.in.flight.requests.per.connection", _number(1, 1000)),
    "max.request.size": ("message.max.bytes", _number(1000, 100_000_000)),
    "request.timeout.ms": ("request.timeout.ms", _number(1, LONGEST_DELIVERY_MS)),
    "delivery.timeout.ms": ("message.timeout.ms", _number(1, LONGEST_DELIVERY_MS)),
    "retry.backoff.ms": ("retry.backoff.ms", _number(1, 10_000)),
    "retry.backoff.max.ms": ("retry.backoff.max.ms", _number(1, 10_000)),
    "metadata.max.age.ms": ("metadata.max.age.ms", _number(1000, 86_400_000)),
    "reconnect.backoff.ms": ("reconnect.backoff.ms", _number(1, 10_000)),
    "reconnect.backoff.max.ms": ("reconnect.backoff.max.ms", _number(1, 10_000)),
    "connections.max.idle.ms": ("connections.max.idle.ms", _number(1000, 86_400_000)),
    "send.buffer.bytes": ("socket.send.buffer.bytes", _number(0, 16_777_216)),
    "receive.buffer.bytes": ("socket.receive.buffer.bytes", _number(0, 16_777_216)),
    "key.serializer": ("", _text),
    "value.serializer": ("", _text),
}


def translated(properties: Mapping[str, str]) -> dict[str, Any]:
    """As librdkafka has them. Raises ValueError with a sentence that shows no value."""
    settings: dict[str, Any] = {}
    for name, value in properties.items():
        if name == "sasl.jaas.config":
            settings |= {f"sasl.{member}": re.sub(r"\\(.)", r"\1", text) for member, text in _JAAS.findall(value)}
            continue
        known = PROPERTIES.get(name)
        if known is None:
            files = " Files of the platform are not read; expected PEM text." if ".location" in name else ""
            raise ValueError(
                f"The Kafka property {name!r} is not supported.{files} Supported are {', '.join(PROPERTIES)}, sasl.jaas.config."
            )
        here, read = known
        try:
            made = read(value)
        except ValueError as error:
            what = str(error) if str(error).startswith("expected") else "expected a whole number"
            raise ValueError(f"The Kafka property {name!r} cannot be used: {what}.") from None
        if here:
            settings[here] = made
    return settings


def servers(text: str) -> list[tuple[str, int]]:
    """Of a comma-separated list of host:port. Raises ValueError with a sentence."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        host, _, port = part.rpartition(":")
        if not host.strip("[]") or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{part!r} is not a bootstrap server; expected host:port.")
        found.append((host.strip("[]"), int(port)))
    if not found:
        raise ValueError("The configuration names no bootstrap servers.")
    return found
