"""The JSON of dashboards (compat/data_model.md 3), and how it is read."""

from collections.abc import Mapping
from typing import Any

import orjson

from dashboards.models import Dashboard
from dashboards.services.dashboards import LARGEST_IMAGE, DashboardFields
from dashboards.services.documents import info_json
from thingsboard.kernel.api import flag_of, id_of, text_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType


def dashboard_json(dashboard: Any) -> dict[str, Any]:
    """A Dashboard; from a queryset `whole().with_customers()`."""
    external = dashboard.external_id
    return {
        **info_json(dashboard),
        "configuration": orjson.Fragment(dashboard.configuration),
        "externalId": EntityId(EntityType.DASHBOARD, external).to_json() if external else None,
    }


def dashboard_fields(body: Mapping[str, Any]) -> DashboardFields:
    """What a Dashboard in a request says; unknown members, owners and customers among them, count for nothing.

    Raises BadRequest.
    """
    order = body.get("mobileOrder")
    if order is not None and (not isinstance(order, int) or isinstance(order, bool)):
        raise BadRequest("mobileOrder: expected a whole number")
    return DashboardFields(
        title=text_of(body, "title"),
        image=text_of(body, "image", longest=LARGEST_IMAGE) or None,
        mobile_hide=flag_of(body, "mobileHide"),
        mobile_order=order,
        configuration=body.get("configuration"),
        external_id=id_of(body, "externalId", EntityType.DASHBOARD),
    )


def configuration_of(dashboard: Dashboard) -> Any:
    """The configuration as a document."""
    return orjson.loads(dashboard.configuration)
