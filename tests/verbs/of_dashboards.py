"""The verbs of dashboards."""

from dashboards.models import Dashboard
from dashboards.services import dashboards
from dashboards.services.dashboards import DashboardFields
from tests.verbs.world import Verb, gone, made, now

OF_DASHBOARDS: dict[str, Verb] = {
    "create dashboard": Verb(
        lambda w: dashboards.create_dashboard(w.tenant, DashboardFields(title="New")),
        ["ENTITY_CREATED DASHBOARD"],
        made(Dashboard, title="New"),
    ),
    "update dashboard": Verb(
        lambda w: dashboards.update_dashboard(w.dashboard, DashboardFields(title="Old")),
        ["ENTITY_UPDATED DASHBOARD"],
        now("dashboard", title="Old"),
    ),
    "delete dashboard": Verb(
        lambda w: dashboards.delete_dashboard(w.dashboard),
        ["ENTITY_DELETED DASHBOARD"],
        gone("dashboard"),
    ),
    "assign dashboard": Verb(
        lambda w: dashboards.assign_dashboard(w.dashboard, w.bistro),
        ["ENTITY_ASSIGNED DASHBOARD"],
        now("dashboard", customers__title="Bistro"),
    ),
    "unassign dashboard": Verb(
        lambda w: dashboards.unassign_dashboard(w.shown, w.bistro),
        ["ENTITY_UNASSIGNED DASHBOARD"],
        now("shown", customers=None),
    ),
    "publish dashboard": Verb(
        lambda w: dashboards.publish_dashboard(w.dashboard),
        ["ENTITY_CREATED CUSTOMER", "ENTITY_ASSIGNED DASHBOARD"],
        now("dashboard", customers__title="Public"),
    ),
    "set the customers of a dashboard": Verb(
        lambda w: dashboards.set_customers(w.shown, [w.cafe.pk]),
        ["ENTITY_UNASSIGNED DASHBOARD", "ENTITY_ASSIGNED DASHBOARD"],
        now("shown", customers__title="Café"),
    ),
}
