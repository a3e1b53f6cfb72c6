"""Users and their settings."""

from tests.contracts.contract import Kinds, Routes, by

_PAGE = "pageSize=100&page=0"
_TENANT = {"entityType": "TENANT", "id": "{tenant}"}
_NEW = {"email": "new@x.example", "firstName": "N", "lastName": "W", "phone": "1", "additionalInfo": {"a": 1}}
_NEW_V1 = {"email": "new@x.example", "first_name": "N", "last_name": "W", "phone": "1", "additional_info": {"a": 1}}
_SETTINGS = {"a": {"b": 1}}

_THINGSBOARDS: Routes = {
    "api/customer/<customer_id>/users": {"GET": by("T", query=_PAGE)},
    "api/tenant/<tenant_id>/users": {"GET": by("S", query=_PAGE)},
    # 403: without an id it makes a new one, which only administrators may
    "api/user": {
        "POST": by(
            "STC",
            body={**_NEW, "authority": "TENANT_ADMIN", "tenantId": _TENANT},
            saves="user",
            answers={"C": 403},
        )
    },
    "api/user/<user_id>": {"GET": by("STC"), "DELETE": by("ST")},
    # 400: whom the world knows is activated already
    "api/user/<user_id>/activationLink": {"GET": by("ST", answers={"S": 400, "T": 400})},
    "api/user/<user_id>/activationLinkInfo": {"GET": by("ST", answers={"S": 400, "T": 400})},
    "api/user/<user_id>/token": {"GET": by("ST")},
    "api/user/<user_id>/userCredentialsEnabled": {"POST": by("ST")},
    "api/user/settings": {"GET": by("STC"), "POST": by("STC", body=_SETTINGS), "PUT": by("STC", body={"a.b": 1})},
    "api/user/settings/<settings_type>": {"GET": by("STC"), "PUT": by("STC", body=_SETTINGS), "DELETE": by("STC")},
    "api/user/settings/<settings_type>/<paths>": {"DELETE": by("STC")},
    "api/user/tokenAccessEnabled": {"GET": by("ST")},
    "api/users": {"GET": by("TC", query=_PAGE)},
    "api/users/info": {"GET": by("TC", query=_PAGE)},
    "api/users/list": {"GET": by("TC", query="userIds={user}")},
}

_OURS: Routes = {
    "api/v1/users": {
        "GET": by("STC"),
        "POST": by(
            "STC",
            body={**_NEW_V1, "authority": "TENANT_ADMIN", "tenant_id": "{tenant}", "password": "a better one 1"},
            answers={"C": 403},
        ),
    },
    # 403: a customer user does not change its own address
    "api/v1/users/<pk>": {"GET": by("STC"), "PUT": by("STC", body=_NEW_V1, answers={"C": 403}), "DELETE": by("ST")},
    "api/v1/users/<pk>/activationLink": {"GET": by("ST", answers={"S": 400, "T": 400})},
}

ROUTES: Routes = {**_THINGSBOARDS, **_OURS}
KINDS: Kinds = {}
TEXTS = {"settings_type": "GENERAL", "paths": "a"}
