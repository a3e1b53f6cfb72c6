"""Telemetry and attributes, here of devices, and what is being erased."""

from tests.contracts.contract import Kinds, Routes, by

_POINTS = {"a": 1}
_KEYS = "keys=a"
_RANGE = "keys=a,b&startTs=0&endTs=1000"
_PLUGIN = "api/plugins/telemetry/<kind>/<entity_id>"
_OURS = "api/v1/telemetry/<entity_type>/<entity_id>"
_WRITES = {"POST": by("TC", body=_POINTS), "DELETE": by("TC", query=_KEYS)}
_READS = {"GET": by("TC")}
_ERASES = by("TC", query="keys=a&delete_all=true")

ROUTES: Routes = {
    "api/plugins/telemetry/<entity_id>/<scope>": _WRITES,
    f"{_PLUGIN}/<scope>": _WRITES,
    f"{_PLUGIN}/attributes/<scope>": _WRITES,
    f"{_PLUGIN}/keys/attributes": _READS,
    f"{_PLUGIN}/keys/attributes/<scope>": _READS,
    f"{_PLUGIN}/keys/timeseries": _READS,
    f"{_PLUGIN}/timeseries/<scope>": {"POST": by("TC", body=_POINTS)},
    f"{_PLUGIN}/timeseries/<scope>/<ttl>": {"POST": by("TC", body=_POINTS)},
    f"{_PLUGIN}/timeseries/delete": {"DELETE": by("TC", query="keys=a&deleteAllDataForKeys=true")},
    f"{_PLUGIN}/values/attributes": _READS,
    f"{_PLUGIN}/values/attributes/<scope>": _READS,
    f"{_PLUGIN}/values/timeseries": _READS,
    f"{_PLUGIN}/values/timeseries/history": {"GET": by("TC", query=_RANGE)},
    f"{_OURS}/keys/timeseries": _READS,
    f"{_OURS}/values/timeseries": _READS,
    f"{_OURS}/timeseries": {"POST": by("TC", body=_POINTS), "DELETE": _ERASES},
    f"{_OURS}/timeseries/<scope>": {"POST": by("TC", body=_POINTS), "DELETE": _ERASES},
    f"{_OURS}/attributes": {**_READS, **_WRITES},
    f"{_OURS}/attributes/<scope>": {**_READS, **_WRITES},
    "api/v1/erasures": {"GET": by("ST")},
}

KINDS: Kinds = {}

TEXTS = {"kind": "DEVICE", "entity_type": "DEVICE", "scope": "SERVER_SCOPE", "ttl": "0"}
