"""Something of every kind that a route can name: the caller's own, another tenant's, and nobody's."""

import json
import re
from functools import cached_property
from typing import Any

from devices.models import DeviceProfile
from devices.services.groups import create_device_group
from devices.services.profiles import create_profile as create_device_profile
from tenants.models import AuditLog, User
from tenants.services import audit
from tenants.services.customers import create_customer
from tenants.services.groups import create_user_group
from tenants.services.tenants import create_profile as create_tenant_profile
from tests.cast import Cast, api
from tests.contracts.declarations import BODIES, QUERIES, WHO
from tests.contracts.routes import TWINS, Endpoint
from thingsboard.kernel.ids import new_id

# Which kind a parameter names: by the parameter, or by the resource that stands before `pk`.
KINDS = {
    "customer_id": "customer",
    "device_id": "device",
    "entity_id": "device",
    "tenant_id": "tenant",
    "user_id": "user",
    "customers": "customer",
    "devices": "device",
    "deviceProfiles": "device_profile",
    "deviceProfile": "device_profile",
    "deviceProfileInfo": "device_profile",
    "tenants": "tenant",
    "tenantProfiles": "tenant_profile",
    "tenantProfile": "tenant_profile",
    "tenantProfileInfo": "tenant_profile",
    "deviceGroups": "device_group",
    "userGroups": "user_group",
    "auditLogs": "audit_log",
}
PLAIN = {"kind": "DEVICE", "scope": "SERVER_SCOPE"}


def declared(endpoint: Endpoint) -> str:
    """The path under which an endpoint is declared: a resource's twin under /api/ is the resource."""
    if endpoint.path in TWINS:
        return endpoint.path.replace("api/", "api/v1/", 1)
    return endpoint.path


def who(endpoint: Endpoint) -> list[str]:
    """The authorities that may use it."""
    return WHO[declared(endpoint)][endpoint.method].split()


def kind_of(path: str, parameter: str) -> str:
    """What a parameter of a path names. Raises KeyError for what nobody declared."""
    if parameter in {"pk", "profile_id"}:
        return KINDS[path.removeprefix("api/").removeprefix("v1/").split("/")[0]]
    return KINDS[parameter]


class World:
    """Two tenants with one of everything; made when it is first asked for."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        assert cast.bob and cast.bobs_device and cast.sam

    def user(self, authority: str) -> User:
        return {"S": self.cast.sam, "T": self.cast.alice, "C": self.cast.bob}[authority]

    def ask(self, authority: str, method: str, url: str, body: Any = b"") -> Any:
        """One request; a body that is no bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return api(self.user(authority)).generic(method, f"/{url}", data, content_type="application/json")

    @cached_property
    def _foreign_customer(self) -> Any:
        return create_customer(self.cast.globex, "Elsewhere")

    @cached_property
    def _profiles(self) -> dict[str, DeviceProfile]:
        return {
            name: create_device_profile(tenant.pk, "valve")
            for name, tenant in (("own", self.cast.acme), ("foreign", self.cast.globex))
        }

    @cached_property
    def _tenant_profile(self) -> Any:
        return create_tenant_profile("Small")

    def own(self, kind: str, authority: str) -> Any:
        """The id of one that the caller may see."""
        cast = self.cast
        match kind:
            case "customer":
                return cast.bistro.pk
            case "device":
                return cast.bobs_device.pk
            case "tenant":
                return cast.acme.pk
            case "user":
                return cast.alice.pk if authority == "S" else cast.bob.pk
            case "device_profile":
                return self._profiles["own"].pk
            case "tenant_profile":
                return self._tenant_profile.pk
            case "device_group":
                return create_device_group(cast.acme.pk, f"Own {new_id()}").pk
            case "user_group":
                return create_user_group(cast.acme.pk, f"Own {new_id()}").pk
            case "audit_log":
                return self._deed(None if authority == "S" else cast.acme)
        raise KeyError(kind)

    def foreign(self, kind: str, authority: str) -> Any:
        """The id of one of another tenant, None where this caller sees those of all tenants."""
        cast = self.cast
        match kind:
            case "customer":
                return self._foreign_customer.pk
            case "device":
                return cast.foreign_device.pk
            case "tenant":
                return None if authority == "S" else cast.globex.pk
            case "user":
                return cast.bob.pk if authority == "S" else cast.gina.pk
            case "device_profile":
                return self._profiles["foreign"].pk
            case "tenant_profile":
                return None if authority == "S" else self._tenant_profile.pk
            case "device_group":
                return create_device_group(cast.globex.pk, f"Foreign {new_id()}").pk
            case "user_group":
                return create_user_group(cast.globex.pk, f"Foreign {new_id()}").pk
            case "audit_log":
                return self._deed(cast.globex)
        raise KeyError(kind)

    def _deed(self, tenant: Any) -> Any:
        target = tenant or self._tenant_profile
        audit.record(audit.ActionType.UPDATED, audit.EntityType.TENANT, target, {"a": 1})
        return AuditLog.objects.filter(entity_id=target.pk).latest("created_time").pk

    def url(self, endpoint: Endpoint, authority: str, instead: dict[str, Any] | None = None) -> str:
        """The endpoint with what is the caller's own, or what is named instead."""

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if instead and name in instead:
                return str(instead[name])
            if name == "holder":
                return str(new_id())
            return PLAIN.get(name) or str(self.own(kind_of(endpoint.path, name), authority))

        query = QUERIES.get(declared(endpoint), "") if endpoint.method in {"GET", "DELETE"} else ""
        path = re.sub(r"<(\w+)>", fill, endpoint.path)
        return f"{path}?{self.filled(query, authority)}"

    def body(self, endpoint: Endpoint, authority: str) -> Any:
        """A good body, `{}` where none is read."""
        if endpoint.method not in {"POST", "PUT"}:
            return {}
        good = BODIES[f"{endpoint.method} {declared(endpoint)}"]
        return {} if good is None else json.loads(self.filled(json.dumps(good), authority))

    def filled(self, text: str, authority: str) -> str:
        """`{device}` and the like are the ids of the caller's own."""

        def fill(match: re.Match[str]) -> str:
            return str(self.cast.bob.pk if match[1] == "user" else self.own(match[1], authority))

        return re.sub(r"\{(\w+)\}", fill, text)
