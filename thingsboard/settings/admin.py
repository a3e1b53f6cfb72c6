"""The look of the operators' admin (django-unfold): its menu, and files of ours. Who sees what is tenants/admin/gate.py's."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _seen(model: str) -> Callable[[HttpRequest], bool]:
    """Whether the caller has anything to see there: the model's page decides."""

    def permission(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib.admin import site

        return site.get_model_admin(apps.get_model(model)).has_module_permission(request)

    return permission


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _seen(model)}


# Pages of higher floors behind the admin's door: path and view.
ADMIN_PAGES = {"health": "thingsboard.health.overview.health"}

UNFOLD = {
    "SITE_TITLE": "ThingsBoard",
    "SITE_HEADER": "ThingsBoard",
    "SITE_SYMBOL": "sensors",
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "thingsboard.health.overview.overview",
    "STYLES": [lambda request: static("thingsboard/admin.css")],
    "SCRIPTS": [lambda request: static("thingsboard/admin.js")],
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Devices",
                "items": [
                    _item("Devices", "sensors", "devices.device"),
                    _item("Alarms", "notifications_active", "alarms.alarm"),
                    _item("Device profiles", "tune", "devices.deviceprofile"),
                    _item("Device groups", "folder", "devices.devicegroup"),
                    _item("Refused connections", "block", "devices.refusal"),
                    _item("Erasures", "delete_sweep", "telemetry.erasure"),
                ],
            },
            {
                "title": "Rule engine",
                "items": [
                    _item("Rule chains", "account_tree", "rules.rulechain"),
                    _item("Queues", "queue", "rules.queue"),
                    _item("Dead letters", "mark_email_unread", "kernel.deadletter"),
                    _item("Traces", "timeline", "rules.trace"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _item("Tenants", "apartment", "tenants.tenant"),
                    _item("Tenant profiles", "speed", "tenants.tenantprofile"),
                    _item("Customers", "storefront", "tenants.customer"),
                    _item("Users", "person", "tenants.user"),
                    _item("User groups", "group", "tenants.usergroup"),
                    _item("Audit log", "history", "tenants.auditlog"),
                ],
            },
        ]
    },
}
