"""What may stand in a tenant profile's data: limits that are read when somebody is at work must be numbers by then."""

from typing import Any

from thingsboard.kernel.errors import BadRequest

_RATES = ("ratelimit", "ratelimits", "limitsconfiguration")
_LARGEST = 2**53  # what every client's numbers can hold


def checked_profile_data(data: dict[str, Any] | None) -> dict[str, Any]:
    """ThingsBoard's profileData (compat/data_model.md 4), that of a profile without limits where there is none.

    Raises BadRequest where the configuration is no object, or where one of its limits is no whole number from 0.
    """
    if not data:
        return {"configuration": {"type": "DEFAULT"}}
    configuration = data.get("configuration")
    if configuration is None:
        return {**data, "configuration": {"type": "DEFAULT"}}
    if not isinstance(configuration, dict):
        raise BadRequest("profileData.configuration: expected an object")
    for name, value in configuration.items():
        if name.startswith("max") and value is not None:
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 0 <= value <= _LARGEST:
                raise BadRequest(f"profileData.configuration.{name[:60]}: expected a whole number from 0 (no limit)")
        if name.lower().endswith(_RATES) and not isinstance(value, str | None):
            raise BadRequest(f'profileData.configuration.{name[:60]}: expected a text like "100:1,2000:60"')
    return data
