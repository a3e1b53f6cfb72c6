"""The embedded Valkey."""

from pathlib import Path

import pytest
import redis

from thingsboard.embedded import valkey
from thingsboard.embedded.errors import EmbeddedError


def test_it_answers_on_its_socket_starts_empty_and_never_throws_queues_away(servers_dir: Path) -> None:
    for _ in range(2):
        with valkey.throwaway(servers_dir) as url, redis.Redis.from_url(url, decode_responses=True) as client:
            assert client.dbsize() == 0
            client.set("key", "value")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
            assert client.config_get("save") == {"save": ""}
    assert not list((servers_dir / "run").glob("*.rdb"))


def test_a_wrong_valkey_bin_is_named(servers_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALKEY_BIN", str(servers_dir))
    with pytest.raises(EmbeddedError, match=r"VALKEY_BIN=.*valkey-server"), valkey.throwaway(servers_dir):
        pass
