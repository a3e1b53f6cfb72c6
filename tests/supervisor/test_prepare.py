"""`manage.py prepare` in production."""

from pathlib import Path

import pytest

from tests.supervisor.commands import environment, manage
from thingsboard.embedded import postgres

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("preflight")]

DEMO_ADMINISTRATOR = """
from tenants.services.users import create_user
from tenants.models import Authority
create_user("sysadmin@thingsboard.org", Authority.SYS_ADMIN, password="sysadmin")
"""


def test_production_refuses_a_database_with_a_demo_password_and_seeds_nothing(servers_dir: Path) -> None:
    with postgres.throwaway(servers_dir):
        production = environment(servers_dir, DEBUG=0)
        count = "from tenants.models import User; print('users:', User.objects.count())"
        assert manage("prepare", variables=production).returncode == 0
        assert "users: 0" in manage("shell", "-c", count, variables=production).stdout
        made = manage("shell", "-c", DEMO_ADMINISTRATOR, variables=production)
        assert made.returncode == 0, made.stderr
        refused = manage("prepare", variables=production)
        assert refused.returncode == 1
        assert "sysadmin@thingsboard.org still has the published demo password" in refused.stderr
        assert "Traceback" not in refused.stderr
