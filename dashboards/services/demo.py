"""The demo's dashboard, over the demo's devices."""

from typing import Any

from dashboards.models import Dashboard
from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from devices.models import Device
from tenants.models import Customer, Tenant

TITLE = "Climate and computers"
_CUSTOMER = "Customer A"

# An alias of the dashboard, and which devices it stands for. Customer A sees of them what is its own.
_ALIASES = {
    "room": ("DHT11 Demo Device",),
    "computer": ("Raspberry Pi Demo Device",),
    "tests": ("Test Device A1", "Test Device A2", "Test Device A3"),
}
_LABELS = {
    "temperature": "Temperature",
    "humidity": "Humidity",
    "cpuTemperature": "Processor",
    "cpuLoad": "Load",
}
# Widget -> its type, kind of type, title, alias, keys with their units, and place: column, row, width, height.
_WIDGETS: dict[str, tuple[str, str, str, str, dict[str, str], tuple[int, int, int, int]]] = {
    "climate": (
        "system.time_series_chart", "timeseries", "Room climate", "room",
        {"temperature": "°C", "humidity": "%"}, (0, 0, 16, 6),
    ),
    "temperature": ("system.value_card", "latest", "Temperature", "room", {"temperature": "°C"}, (16, 0, 4, 3)),
    "humidity": ("system.value_card", "latest", "Humidity", "room", {"humidity": "%"}, (20, 0, 4, 3)),
    "computer": (
        "system.cards.entities_table", "latest", "Computer", "computer",
        {"cpuTemperature": "°C", "cpuLoad": "%"}, (16, 3, 8, 3),
    ),
    "load": (
        "system.time_series_chart", "timeseries", "Load of the computer", "computer",
        {"cpuLoad": "%", "cpuTemperature": "°C"}, (0, 6, 12, 6),
    ),
    "tests": (
        "system.cards.entities_table", "latest", "Test devices", "tests",
        {"temperature": "°C", "humidity": "%"}, (12, 6, 12, 6),
    ),
}  # fmt: skip


def seed_dashboard() -> Dashboard:
    """One dashboard over the demo's devices, assigned to the demo customer. For a database that has just been seeded."""
    tenant = Tenant.objects.get(title="Tenant")
    dashboard = create_dashboard(tenant.pk, DashboardFields(title=TITLE, configuration=_configuration(tenant)))
    return assign_dashboard(dashboard, Customer.objects.get(tenant=tenant, title=_CUSTOMER))


def _configuration(tenant: Tenant) -> dict[str, Any]:
    return {
        "description": "Two devices that move by themselves, and three that wait for your own values.",
        "widgets": {key: _widget(key) for key in _WIDGETS},
        "states": {
            "default": {
                "name": TITLE,
                "root": True,
                "layouts": {
                    "main": {
                        "widgets": {key: _place(key) for key in _WIDGETS},
                        "gridSettings": {"columns": 24, "margin": 10},
                    }
                },
            }
        },
        "entityAliases": {alias: _alias(tenant, alias) for alias in _ALIASES},
        "timewindow": {
            "selectedTab": 0,
            "realtime": {"realtimeType": 0, "timewindowMs": 300_000, "interval": 1000},
            "aggregation": {"type": "NONE", "limit": 10_000},
        },
        "settings": {"stateControllerId": "entity", "showTitle": True},
    }


def _widget(key: str) -> dict[str, Any]:
    fqn, kind, title, alias, names, (_, _, width, height) = _WIDGETS[key]
    keys = [
        {"name": name, "type": "timeseries", "label": _LABELS[name], "units": units} for name, units in names.items()
    ]
    return {
        "typeFullFqn": fqn,
        "type": kind,
        "id": key,
        "sizeX": width,
        "sizeY": height,
        "config": {
            "title": title,
            "showTitle": True,
            "useDashboardTimewindow": True,
            "datasources": [{"type": "entity", "entityAliasId": alias, "dataKeys": keys}],
            "settings": {},
        },
    }


def _place(key: str) -> dict[str, int]:
    column, row, width, height = _WIDGETS[key][-1]
    return {"sizeX": width, "sizeY": height, "row": row, "col": column}


def _alias(tenant: Tenant, alias: str) -> dict[str, Any]:
    devices = Device.objects.filter(tenant=tenant, name__in=_ALIASES[alias]).order_by("name")
    listed = [str(key) for key in devices.values_list("pk", flat=True)]
    where = {"type": "entityList", "resolveMultiple": True, "entityType": "DEVICE", "entityList": listed}
    return {"id": alias, "alias": alias.capitalize(), "filter": where}
