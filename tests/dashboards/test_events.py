"""What the rule chains hear of dashboards: everything but their configurations."""

import pytest
from django.db import transaction

from dashboards.models import Dashboard
from dashboards.querysets import LARGEST_LISTED_IMAGE
from dashboards.services.dashboards import (
    DashboardFields,
    assign_dashboard,
    create_dashboard,
    delete_dashboard,
    unassign_dashboard,
    update_dashboard,
)
from tests.cast import Cast
from tests.queued import body, newly_queued

FIELDS = DashboardFields(title="Hall", configuration={"description": "large"}, image="data:,x")


def test_a_dashboard_is_told_of_with_every_deed_and_without_its_configuration(cast: Cast) -> None:
    bistro = cast.bistro
    with newly_queued(cast.acme.pk) as found:
        dashboard = create_dashboard(cast.acme.pk, FIELDS)
        update_dashboard(dashboard, FIELDS)
        assign_dashboard(dashboard, bistro)
        assign_dashboard(dashboard, bistro)  # is already
        unassign_dashboard(dashboard, bistro)
        delete_dashboard(Dashboard.objects.get())
    assert [message.type.removeprefix("ENTITY_") for message in found] == [
        "CREATED",
        "UPDATED",
        "ASSIGNED",
        "UNASSIGNED",
        "DELETED",
    ]
    for message in found:
        told = body(message)
        assert (told["title"], told["image"], told["configuration"]) == ("Hall", "data:,x", "")
        assert (message.metadata or {})["entityName"] == "Hall"
    assert (found[2].metadata or {})["assignedCustomerName"] == "Bistro"
    assert [each["title"] for each in body(found[2])["assignedCustomers"]] == ["Bistro"]
    assert (found[3].metadata or {})["unassignedCustomerId"] == str(bistro.pk)
    assert found[3].customer_id == bistro.pk


def test_nothing_is_told_of_a_dashboard_that_is_not_saved_after_all(cast: Cast) -> None:
    with newly_queued() as found, pytest.raises(RuntimeError), transaction.atomic():
        create_dashboard(cast.acme.pk, FIELDS)
        raise RuntimeError
    assert found == []


def test_a_large_image_is_left_out(cast: Cast) -> None:
    with newly_queued(cast.acme.pk) as found:
        create_dashboard(cast.acme.pk, DashboardFields(title="Hall", image="x" * (LARGEST_LISTED_IMAGE + 1)))
    assert body(found[0])["image"] is None
