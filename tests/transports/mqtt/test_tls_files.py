"""The server's certificate and key: what is wrong with them is said in one line before anything listens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.transports.mqtt.certificates import Pair, make
from thingsboard.transports.mqtt.certificate import Certificate, CertificateError


@pytest.fixture
def own(tmp_path: Path) -> Pair:
    """The server's certificate."""
    return make(tmp_path, "server")


def spoil_nothing(own: Pair) -> tuple[Path, Path, str]:
    return own.certificate_file, own.key_file, "secret"


def swap(own: Pair) -> tuple[Path, Path, str]:
    return own.key_file, own.certificate_file, ""


def lose(own: Pair) -> tuple[Path, Path, str]:
    return own.certificate_file, own.key_file.with_name("nowhere"), ""


def mismatch(own: Pair) -> tuple[Path, Path, str]:
    other = make(own.key_file.parent, "other")
    return own.certificate_file, other.key_file, ""


def seal(own: Pair) -> tuple[Path, Path, str]:
    sealed = make(own.key_file.parent, "sealed", password="right")
    return sealed.certificate_file, sealed.key_file, ""


def guess(own: Pair) -> tuple[Path, Path, str]:
    return *seal(own)[:2], "wrong"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_nothing, "TB_MQTT_SSL_KEY_PASSWORD is not encrypted"),
        (swap, "TB_MQTT_SSL_CERT=.*: expected certificates in PEM form"),
        (lose, r"TB_MQTT_SSL_KEY=.* cannot be read \(No such file or directory\)"),
        (mismatch, "TB_MQTT_SSL_KEY=.* is not the key of TB_MQTT_SSL_CERT="),
        (seal, "TB_MQTT_SSL_KEY_PASSWORD is needed"),
        (guess, "TB_MQTT_SSL_KEY_PASSWORD to be its password"),
    ],
)
def test_a_pair_that_cannot_be_used_is_explained(
    own: Pair, spoil: Callable[[Pair], tuple[Path, Path, str]], reason: str
) -> None:
    with pytest.raises(CertificateError, match=reason):
        Certificate(*spoil(own))


def test_a_sealed_key_opens_with_its_password(tmp_path: Path) -> None:
    sealed = make(tmp_path, "sealed", password="right")
    assert Certificate(sealed.certificate_file, sealed.key_file, "right").context()


@pytest.mark.parametrize("there", ["TB_MQTT_SSL_CERT", "TB_MQTT_SSL_KEY"])
def test_one_file_without_the_other_ends_the_start_with_one_line(settings: Any, there: str) -> None:
    setattr(settings, there, "/somewhere.pem")
    with pytest.raises(CommandError, match=f"{there} is set, but not TB_MQTT_SSL_") as refused:
        call_command("runmqtt")
    assert str(refused.value).count("\n") == 0
