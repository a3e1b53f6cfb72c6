"""Where a request comes from: X-Forwarded-For is believed as far as our own proxies wrote it."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from tenants.address import client_address
from thingsboard.settings.env import networks


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.1, 198.51.100.7, 10.0.0.5", "198.51.100.7"),
        ("127.0.0.1", "10.0.0.6, 10.0.0.5", "10.0.0.6"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.1, nonsense, 10.0.0.5", "10.0.0.5"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.1.1.1," * 5000 + "198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
        ("not an address", "198.51.100.7", ""),
    ],
)
def test_the_client_is_the_first_that_is_no_proxy_of_ours(
    peer: str, forwarded: str, client: str, settings: Any
) -> None:
    settings.TB_TRUSTED_PROXIES = networks("NOBODY_SETS_THIS", "127.0.0.0/8,::1/128,10.0.0.0/24")
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == client


def test_a_network_that_is_none_stops_the_start_with_one_line() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"NOBODY_SETS_THIS='10\.0\.0\.300': expected networks or addresses"):
        networks("NOBODY_SETS_THIS", "10.0.0.300")
