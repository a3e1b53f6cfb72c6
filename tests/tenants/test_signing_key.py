"""The key that signs users' tokens: one for all processes, however many start at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tenants.models import SystemSetting
from tenants.services import settings


@pytest.mark.django_db(transaction=True)
def test_all_who_need_the_key_first_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CACHE_SECONDS", 0)  # as many processes as calls
    gate = threading.Barrier(8)

    def first_need(_: int) -> bytes:
        gate.wait()
        try:
            return settings.jwt_signing_key()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(first_need, range(8)))
    assert len(keys) == 1 and len(keys.pop()) == 64
    assert SystemSetting.objects.filter(key="jwt").count() == 1


def test_the_key_is_kept_in_the_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CACHE_SECONDS", 0)
    first = settings.jwt_signing_key()
    assert settings.jwt_signing_key() == first
    SystemSetting.objects.filter(key="jwt").delete()
    assert settings.jwt_signing_key() != first


def test_a_key_that_is_too_short_is_refused(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CACHE_SECONDS", 0)
    SystemSetting.objects.create(key="jwt", value={"tokenSigningKey": "c2hvcnQ="})
    with pytest.raises(ValueError, match="too short"):
        settings.jwt_signing_key()
