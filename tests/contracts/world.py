"""Two tenants with one of everything that a path can name, made when it is first asked for; and requests in it."""

import json
import re
from functools import cached_property
from typing import Any

from devices.services.groups import create_device_group
from devices.services.profiles import create_profile as create_device_profile
from tenants.models import AuditLog, Authority, User
from tenants.services import audit
from tenants.services.customers import create_customer
from tenants.services.groups import create_user_group
from tenants.services.tenants import create_profile as create_tenant_profile
from tenants.services.users import create_user
from tests.cast import Cast, api
from tests.contracts.contract import Contract, Kind
from tests.contracts.declared import KINDS, ROUTES, TEXTS
from tests.contracts.routes import Endpoint


def contract_of(endpoint: Endpoint) -> Contract | None:
    """What is declared of it."""
    return ROUTES.get(endpoint.declared, {}).get(endpoint.method)


def kind_of(endpoint: Endpoint, parameter: str) -> Kind | None:
    """What a parameter of its path names: by the parameter, else by what stands before it. None where nobody says."""
    before = re.search(rf"([\w<>]+)/<{parameter}>", endpoint.path)
    for word in (parameter, before and before[1]):
        for kind in KINDS.values():
            if word in kind.named:
                return kind
    return None


class World:
    """Acme is the caller's own tenant, Globex is another."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        assert cast.bob and cast.bobs_device and cast.sam
        self._clients: dict[str, Any] = {"": api(None), **{each: api(self.user(each)) for each in "STC"}}

    def user(self, authority: str) -> User:
        return {"S": self.cast.sam, "T": self.cast.alice, "C": self.cast.bob}[authority]

    def ask(self, authority: str, method: str, url: str, body: Any = b"") -> Any:
        """One request, of nobody where no authority is named; a body that is no bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._clients[authority].generic(method, f"/{url}", data, content_type="application/json")

    # What kinds are made of (declared/).

    @cached_property
    def foreign_customer(self) -> Any:
        return create_customer(self.cast.globex, "Elsewhere")

    @cached_property
    def foreign_user(self) -> User:
        return create_user("fred@elsewhere.example", Authority.CUSTOMER_USER, customer=self.foreign_customer)

    @cached_property
    def device_profile(self) -> Any:
        return create_device_profile(self.cast.acme.pk, "valve")

    @cached_property
    def foreign_device_profile(self) -> Any:
        return create_device_profile(self.cast.globex.pk, "valve")

    @cached_property
    def tenant_profile(self) -> Any:
        return create_tenant_profile("Small")

    @cached_property
    def device_group(self) -> Any:
        return create_device_group(self.cast.acme.pk, "Own")

    @cached_property
    def user_group(self) -> Any:
        return create_user_group(self.cast.acme.pk, "Own")

    def further_user(self, n: int) -> User:
        return create_user(f"sharer{n}@bistro.example", Authority.CUSTOMER_USER, customer=self.cast.bistro)

    def deed(self, target: Any) -> AuditLog:
        """A line of the audit log about a tenant, or about a tenant's profile, which is the system's."""
        audit.record(audit.ActionType.UPDATED, audit.EntityType.TENANT, target, {"a": 1})
        return AuditLog.objects.filter(entity_id=target.pk).latest("created_time")

    # Requests.

    def own(self, kind: str, authority: str) -> Any:
        """The id of one that the caller may use."""
        return KINDS[kind].own(self, authority)

    def foreign(self, kind: str, authority: str) -> Any:
        """The id of another tenant's, None where this caller sees those of all."""
        return KINDS[kind].foreign(self, authority)

    def url(
        self, endpoint: Endpoint, authority: str, instead: dict[str, Any] | None = None, *, foreign: bool = False
    ) -> str:
        """The endpoint with what is the caller's own, or what is named instead; `foreign`: another's ids in its query."""

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if instead and name in instead:
                return str(instead[name])
            kind = kind_of(endpoint, name)
            return TEXTS[name] if kind is None else str(kind.own(self, authority))

        contract = contract_of(endpoint)
        assert contract is not None
        path = re.sub(r"<(\w+)>", fill, endpoint.path)
        return f"{path}?{self.filled(contract.query, authority, foreign=foreign)}"

    def body(self, endpoint: Endpoint, authority: str) -> Any:
        """A good body, `{}` where none is read."""
        contract = contract_of(endpoint)
        assert contract is not None
        return {} if contract.body is None else json.loads(self.filled(json.dumps(contract.body), authority))

    def filled(self, text: str, authority: str, *, foreign: bool = False) -> str:
        """`{device}` and the like are the ids of the caller's own, or of another's."""
        ids = self.foreign if foreign else self.own
        return re.sub(r"\{(\w+)\}", lambda match: str(ids(match[1], authority)), text)
