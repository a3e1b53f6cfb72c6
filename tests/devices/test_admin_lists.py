"""Long lists in the admin: their pages cost a number of queries that does not grow with them, and nobody counts them."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from devices.models import Device
from devices.services.devices import DeviceFields, create_device
from devices.services.profiles import default_profile
from tenants.admin import paging
from tenants.models import Customer, Tenant
from tenants.services.tenants import create_tenant
from tests.cast import Cast
from tests.devices.test_admin import browser, page_of
from tests.devices.test_refusals import refuse


def cost(client: Client, path: str) -> int:
    """How many queries a page takes."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def some_devices(cast: Cast, prefix: str, number: int, tenant: Tenant | None = None) -> None:
    tenant = tenant or cast.acme
    profile = default_profile(tenant.pk)
    customer = Customer.objects.filter(tenant=tenant).first()
    Device.objects.bulk_create(
        Device(tenant=tenant, profile=profile, customer=customer, name=f"{prefix}{each:05}") for each in range(number)
    )


LISTS = [
    "/admin/",
    "/admin/devices/device/",
    "/admin/devices/device/?active=0&q=A",
    "/admin/devices/deviceprofile/",
    "/admin/devices/devicegroup/",
    "/admin/devices/refusal/",
    "/admin/tenants/auditlog/",
    "/admin/tenants/user/",
    "/admin/tenants/customer/",
    "/admin/telemetry/erasure/",
]
MOST_QUERIES = 15


@pytest.mark.parametrize("path", LISTS)
def test_a_page_costs_as_many_queries_for_many_rows_as_for_few(cast: Cast, path: str) -> None:
    def grow(number: int) -> None:
        for each in range(number):
            device = create_device(cast.acme.pk, DeviceFields(name=f"A{number}-{each}", type=f"T{number}-{each}"))
            refuse(device)

    sam, alice = browser(cast.sam), browser(cast.alice)
    grow(2)
    few = cost(alice, path), cost(sam, path)
    grow(20)
    for each in range(3):
        create_tenant(f"Other {each}")
    assert (cost(alice, path), cost(sam, path)) == few
    assert max(few) <= MOST_QUERIES


def test_a_devices_page_costs_a_bounded_number_of_queries(cast: Cast) -> None:
    assert cost(browser(cast.alice), page_of(cast.device) + "?key=temperature&window=7d") <= 2 * MOST_QUERIES


def test_a_list_longer_than_anybody_leafs_through_is_counted_to_its_limit(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging.capped_count, "__defaults__", (60,))
    some_devices(cast, "Pump", 80)
    alice = browser(cast.alice)
    page = alice.get("/admin/devices/device/?p=2").text
    assert "Pump00059" in page and "Pump00060" not in page
    assert "Pump00079" in alice.get("/admin/devices/device/?q=pump00079").text
    assert alice.get("/admin/devices/device/?p=3").status_code == 302


def test_the_start_page_counts_the_callers_devices(cast: Cast) -> None:
    some_devices(cast, "Pump", 3)
    some_devices(cast, "Foreign", 4, cast.globex)
    refuse(cast.device)
    page = browser(cast.alice).get("/admin/").text
    assert '<a href="/admin/devices/device/">4</a>' in page and '?active=0">4</a>' in page
    assert '<a href="/admin/devices/refusal/">1</a>' in page
    assert "native partitions" in page or "TimescaleDB " in page
    assert 'href="/swagger-ui"' in page and 'hx-get="/admin/health/"' in page
    assert '<a href="/admin/devices/device/">8</a>' in browser(cast.sam).get("/admin/").text


@pytest.mark.django_db(transaction=True)
def test_the_start_page_tells_how_the_parts_are(cast: Cast) -> None:
    page = browser(cast.alice).get("/admin/health/").text
    assert "<dt>database</dt>" in page and "tb-bad" in page and "no rules worker answers" in page
    assert Client().get("/admin/health/").status_code == 302
    assert browser(cast.bob).get("/admin/health/").status_code == 302
