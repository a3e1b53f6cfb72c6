"""Home dashboards: what is shown to somebody first (compat/data_model.md 3: in the additional information)."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.models import Dashboard
from tenants.models import Customer, Tenant, User
from tenants.services.tenants import update_tenant
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.ids import EntityType, parse_uuid

DASHBOARD, HIDE_TOOLBAR = "homeDashboardId", "homeDashboardHideToolbar"


@dataclass(frozen=True, slots=True)
class Home:
    """Which dashboard, and whether its toolbar is hidden."""

    dashboard_id: uuid.UUID
    hide_toolbar: bool


def home_of(user: User) -> Home | None:
    """The user's own, else its customer's, else its tenant's; one that the user does not see counts for nothing."""
    for home in _chosen(user):
        if Dashboard.objects.visible_to(user).filter(pk=home.dashboard_id).exists():
            return home
    return None


def home_of_tenant(tenant: Tenant) -> Home | None:
    """The one that is set for the whole tenant."""
    return _read(tenant.additional_info)


def set_home_of_tenant(tenant: Tenant, user: User, home: Home | None) -> None:
    """Set it, or with None take it away. Raises NotFound for a dashboard that the user does not see."""
    if home is not None and not Dashboard.objects.visible_to(user).filter(pk=home.dashboard_id).exists():
        raise not_found(EntityType.DASHBOARD, home.dashboard_id)
    info = dict(tenant.additional_info or {})
    if home is None:
        info.pop(DASHBOARD, None)
        info.pop(HIDE_TOOLBAR, None)
    else:
        info |= {DASHBOARD: str(home.dashboard_id), HIDE_TOOLBAR: home.hide_toolbar}
    update_tenant(tenant, tenant.title, additional_info=info)


def _chosen(user: User) -> Iterator[Home]:
    # Read anew: what a request knows of its user may be a second old.
    for rows, key in ((User.objects, user.pk), (Customer.objects, user.customer_id), (Tenant.objects, user.tenant_id)):
        info = rows.filter(pk=key).values_list("additional_info", flat=True).first()
        if (home := _read(info)) is not None:
            yield home


def _read(info: Any) -> Home | None:
    """What additional information says, which anybody may have written as they liked."""
    if not isinstance(info, Mapping):
        return None
    try:
        key = parse_uuid(info.get(DASHBOARD))
    except ValueError:
        return None
    return Home(key, info.get(HIDE_TOOLBAR, True) is not False)
