"""A password that the database refuses."""

import os
from pathlib import Path

import psycopg
import pytest

from thingsboard.embedded import postgres
from thingsboard.supervisor.preflight import PreflightError, check_database


def test_a_wrong_password_is_said_and_not_shown(servers_dir: Path) -> None:
    with postgres.throwaway(servers_dir) as dsn:
        run = servers_dir / "run"
        with psycopg.connect(f"host={run} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE ROLE walled LOGIN PASSWORD 'right'")
            (servers_dir / "postgres" / "pg_hba.conf").write_text(
                "local all walled scram-sha-256\nlocal all all trust\n"
            )
            connection.execute("SELECT pg_reload_conf()")
        check_database(dsn)
        with pytest.raises(PreflightError, match="password authentication failed") as refused:
            for _ in range(200):  # the reload is asynchronous
                check_database(f"postgresql://walled:wr0ng@/thingsboard?host={run}")
    assert "wr0ng" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert os.fspath(run) in str(refused.value)
