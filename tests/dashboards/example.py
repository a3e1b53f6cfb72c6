"""A dashboard as ThingsBoard CE 4.3 exports one (compat/data_model.md 4), over the devices it is asked for."""

from typing import Any

ALIAS = "a1f5b7e0-5d0c-4b63-b1c5-3d9f3b0f0a01"
CHART, CARD, TABLE, MAP = (f"{number}f5b7e0-5d0c-4b63-b1c5-3d9f3b0f0a01" for number in ("c1", "c2", "c3", "c4"))


def configuration(*devices: object) -> dict[str, Any]:
    """A chart, a card, a table, and a map, which is a widget that we cannot show yet; all over one list of devices."""
    return {
        "description": "Heat & light, 20 °C",
        "widgets": {
            CHART: _widget(CHART, "system.time_series_chart", "timeseries", "History", ["temperature"]),
            CARD: _widget(CARD, "system.value_card", "latest", "Now", ["temperature"]),
            TABLE: _widget(TABLE, "system.cards.entities_table", "latest", "All", ["temperature", "humidity"]),
            MAP: _widget(MAP, "system.map", "latest", "Where", ["latitude"]),
        },
        "states": {
            "default": {
                "name": "Heat",
                "root": True,
                "layouts": {
                    "main": {
                        "widgets": {
                            CHART: {"sizeX": 16, "sizeY": 6, "row": 0, "col": 0},
                            CARD: {"sizeX": 8, "sizeY": 3, "row": 0, "col": 16, "mobileOrder": 1},
                            TABLE: {"sizeX": 16, "sizeY": 5, "row": 6, "col": 0},
                            MAP: {"sizeX": 8, "sizeY": 3, "row": 3, "col": 16, "mobileHeight": None},
                        },
                        "gridSettings": {
                            "backgroundColor": "#eeeeee",
                            "columns": 24,
                            "margin": 10,
                            "outerMargin": True,
                        },
                    }
                },
            }
        },
        "entityAliases": {
            ALIAS: {
                "id": ALIAS,
                "alias": "Meters",
                "filter": {
                    "type": "entityList",
                    "resolveMultiple": True,
                    "entityType": "DEVICE",
                    "entityList": [str(each) for each in devices],
                },
            }
        },
        "filters": {},
        "timewindow": {
            "hideAggregation": False,
            "selectedTab": 0,
            "realtime": {"realtimeType": 0, "timewindowMs": 300000, "quickInterval": "CURRENT_DAY", "interval": 1000},
            "history": {"historyType": 0, "timewindowMs": 60000, "interval": 1000},
            "aggregation": {"type": "NONE", "limit": 25000},
        },
        "settings": {"stateControllerId": "entity", "showTitle": False, "toolbarAlwaysOpen": True, "dashboardCss": ""},
    }


def _widget(key: str, fqn: str, kind: str, title: str, names: list[str]) -> dict[str, Any]:
    return {
        "typeFullFqn": fqn,
        "type": kind,
        "sizeX": 8,
        "sizeY": 5,
        "row": 0,
        "col": 0,
        "id": key,
        "config": {
            "title": title,
            "showTitle": True,
            "useDashboardTimewindow": True,
            "units": "°C",
            "decimals": None,
            "settings": {"yAxes": {"default": {"units": None, "decimals": 0, "show": True}}, "big": 2**53 + 1},
            "datasources": [
                {
                    "type": "entity",
                    "name": "",
                    "entityAliasId": ALIAS,
                    "filterId": None,
                    "dataKeys": [
                        {
                            "name": name,
                            "type": "timeseries",
                            "label": name.capitalize(),
                            "color": "#2196f3",
                            "settings": {},
                            "_hash": 0.5463841,
                            "units": None,
                            "postFuncBody": "return value;",
                        }
                        for name in names
                    ],
                    "alarmFilterConfig": {"statusList": ["ACTIVE"]},
                    "latestDataKeys": [],
                }
            ],
            "timewindow": {"realtime": {"timewindowMs": 60000}, "aggregation": {"type": "AVG", "limit": 200}},
            "actions": {"headerButton": []},
        },
    }
