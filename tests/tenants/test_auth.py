"""Logging in, refreshing, and everything a token can be wrong about."""

import base64
import json
import uuid
from typing import Any

import jwt
import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from rest_framework.test import APIClient

from tenants.auth.jwt import issue_pair
from tenants.models import Authority
from tenants.services.settings import jwt_signing_key
from tenants.services.users import create_user, demo_passwords_in_use, set_password
from tests.cast import PASSWORD, Cast, api, error
from thingsboard.kernel import time
from thingsboard.kernel.ids import NULL_UUID
from thingsboard.settings import django as platform_settings


def log_in(email: str, password: str) -> Any:
    body = json.dumps({"username": email, "password": password})
    return APIClient().post("/api/auth/login", body, content_type="application/json")


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@pytest.fixture
def clock() -> Any:
    """Moves the platform's clock by seconds; put back afterwards."""
    from time import time as real

    yield lambda seconds: time.set_source(lambda: real() + seconds)
    time.set_source(None)


def test_a_login_answers_a_pair_with_thingsboards_claims(cast: Cast) -> None:
    answer = log_in("bob@bistro.example" if cast.bob else "", PASSWORD)
    assert answer.status_code == 200
    access, refresh = claims_of(answer.json()["token"]), claims_of(answer.json()["refreshToken"])
    assert jwt.get_unverified_header(answer.json()["token"])["alg"] == "HS512"
    assert set(access) == {
        *("sub", "userId", "scopes", "sessionId", "exp", "iss", "iat", "enabled", "isPublic", "tenantId", "customerId"),
        "generation",
    }
    assert (access["sub"], access["userId"]) == (cast.bob.email, str(cast.bob.pk))
    assert (access["scopes"], access["iss"], access["isPublic"]) == (["CUSTOMER_USER"], "thingsboard.io", False)
    assert (access["tenantId"], access["customerId"]) == (str(cast.acme.pk), str(cast.bistro.pk))
    assert access["exp"] - access["iat"] == 3600
    assert set(refresh) == {
        "sub",
        "userId",
        "scopes",
        "sessionId",
        "generation",
        "exp",
        "iss",
        "iat",
        "isPublic",
        "jti",
    }
    assert (refresh["scopes"], refresh["sessionId"]) == (["REFRESH_TOKEN"], access["sessionId"])
    assert refresh["exp"] - refresh["iat"] == 30 * 86400


def test_no_tenant_and_no_customer_are_the_null_uuid(cast: Cast) -> None:
    access = claims_of(issue_pair(cast.sam).token)
    assert access["tenantId"] == access["customerId"] == str(NULL_UUID)


@pytest.mark.parametrize(("email", "password"), [("alice@acme.example", "wrong"), ("nobody@acme.example", PASSWORD)])
def test_wrong_credentials_are_refused_with_one_sentence(cast: Cast, email: str, password: str) -> None:
    answer = log_in(email, password)
    assert error(answer) == (401, 10)
    assert answer.json()["message"] == "Invalid username or password"


def test_an_account_that_is_switched_off_says_so_only_to_who_knows_its_password(cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save()
    assert log_in(cast.alice.email, PASSWORD).json()["message"] == "User account is not active"
    assert log_in(cast.alice.email, "wrong").json()["message"] == "Invalid username or password"
    assert error(api(cast.alice).get("/api/auth/user")) == (401, 10)


def test_a_user_without_a_password_cannot_log_in(cast: Cast) -> None:
    create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)
    assert error(log_in("new@acme.example", "")) == (401, 10)
    assert error(log_in("new@acme.example", "!")) == (401, 10)


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"username": 1, "password": {}}', '{"username":"a\\u0000","password":"b"}']
)
def test_a_login_body_that_is_none_is_refused(cast: Cast, body: str) -> None:
    answer = APIClient().post("/api/auth/login", body, content_type="application/json")
    assert error(answer)[0] in {400, 401}


def test_a_refresh_token_gives_a_new_pair_and_nothing_else(cast: Cast) -> None:
    pair = issue_pair(cast.alice)
    answer = APIClient().post("/api/auth/token", {"refreshToken": pair.refresh_token}, format="json")
    assert answer.status_code == 200
    assert (
        APIClient().get("/api/auth/user", headers={"Authorization": f"Bearer {answer.json()['token']}"}).status_code
        == 200
    )
    assert error(APIClient().get("/api/auth/user", headers={"Authorization": f"Bearer {pair.refresh_token}"})) == (
        401,
        10,
    )
    assert error(APIClient().post("/api/auth/token", {"refreshToken": pair.token}, format="json")) == (401, 10)


def test_an_expired_token_answers_code_11_so_that_clients_refresh(cast: Cast, clock: Any) -> None:
    client = api(cast.alice)
    clock(3590)
    assert client.get("/api/auth/user").status_code == 200
    clock(3601)
    answer = client.get("/api/auth/user")
    assert error(answer) == (401, 11)
    assert answer.json()["message"] == "Token has expired"


def test_x_authorization_comes_before_authorization(cast: Cast) -> None:
    headers = {
        "X-Authorization": f"Bearer {issue_pair(cast.alice).token}",
        "Authorization": f"Bearer {issue_pair(cast.gina).token}",
    }
    assert APIClient().get("/api/auth/user", headers=headers).json()["email"] == cast.alice.email


def test_a_new_password_outdates_earlier_tokens_and_no_later_one(cast: Cast) -> None:
    old = api(cast.alice)
    set_password(cast.alice, "another horse")
    answer = old.get("/api/auth/user")
    assert error(answer) == (401, 10)
    assert answer.json()["message"] == "Token is outdated"
    assert api(cast.alice).get("/api/auth/user").status_code == 200


def forged(cast: Cast, key: bytes | str, algorithm: str, **changes: Any) -> str:
    claims = claims_of(issue_pair(cast.alice).token) | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_of_another_algorithm_is_refused(cast: Cast, algorithm: str) -> None:
    token = forged(cast, "" if algorithm == "none" else jwt_signing_key(), algorithm)
    assert error(APIClient().get("/api/auth/user", headers={"X-Authorization": f"Bearer {token}"})) == (401, 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "elsewhere"},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"userId": str(uuid.uuid4())},
        {"userId": "x"},
        {"userId": {}},
        {"iat": []},
        {"sessionId": "x"},
        {"generation": None},
        {"generation": 17},
    ],
)
def test_a_signed_token_with_wrong_claims_is_refused(cast: Cast, changes: dict[str, Any]) -> None:
    token = forged(cast, jwt_signing_key(), "HS512", **changes)
    assert error(APIClient().get("/api/auth/user", headers={"X-Authorization": f"Bearer {token}"})) == (401, 10)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x.y.z", "Basic YTpi", "nonsense", "Bearer \xff"])
def test_a_header_that_is_no_token_is_refused(cast: Cast, header: str) -> None:
    assert error(APIClient().get("/api/auth/user", headers={"Authorization": header})) == (401, 10)


def test_nobody_gets_401_on_every_path(cast: Cast) -> None:
    for path in ("/api/auth/user", "/api/tenant/devices?pageSize=1&page=0", f"/api/user/{cast.alice.pk}"):
        assert error(APIClient().get(path)) == (401, 10)
    assert error(APIClient().post("/api/device", {"name": "x"}, format="json")) == (401, 10)


def test_the_current_user_is_shown_without_anything_of_its_password(cast: Cast) -> None:
    user = api(cast.bob).get("/api/auth/user").json()
    assert user["id"] == {"entityType": "USER", "id": str(cast.bob.pk)}
    assert user["customerId"] == {"entityType": "CUSTOMER", "id": str(cast.bistro.pk)}
    assert user["additionalInfo"]["userActivated"] is True
    assert "password" not in json.dumps(user)


def test_a_user_sees_itself_its_administrator_sees_it_and_a_stranger_does_not(cast: Cast) -> None:
    path = f"/api/user/{cast.bob.pk}"
    assert api(cast.bob).get(path).json()["email"] == api(cast.alice).get(path).json()["email"] == cast.bob.email
    assert error(api(cast.gina).get(path)) == (404, 32)
    assert error(api(cast.bob).get(f"/api/user/{cast.alice.pk}")) == (404, 32)
    assert error(api(cast.bob).get("/api/user/me")) == (400, 31)


def test_the_demo_passwords_that_are_still_in_use_are_named(cast: Cast) -> None:
    user = create_user("tenant@thingsboard.org", Authority.TENANT_ADMIN, password="tenant", tenant=cast.acme)
    create_user("sysadmin@thingsboard.org", Authority.SYS_ADMIN, password="changed long ago")
    assert demo_passwords_in_use() == ["tenant@thingsboard.org"]
    set_password(user, "something else")
    assert demo_passwords_in_use() == []


@pytest.mark.parametrize("accept", ["text/plain", "application/text", "image/*", "nonsense", ""])
def test_no_accept_header_is_answered_with_406(cast: Cast, accept: str) -> None:
    answer = api(cast.alice).get("/api/auth/user", headers={"Accept": accept})
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"


def test_an_unknown_path_answers_the_usual_error(db: None) -> None:
    assert error(APIClient().get("/api/nothing/here")) == (404, 32)


@pytest.mark.parametrize("email", ["alice@acme.example", "nobody@acme.example", "new@acme.example"])
def test_a_wrong_password_costs_the_same_work_whoever_it_is_for(
    cast: Cast, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)  # has no password yet
    hashed = []
    real = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *given: (hashed.append(1), real(*given))[1])
    assert error(log_in(email, "wrong")) == (401, 10)
    assert len(hashed) == 1


def test_passwords_are_kept_by_bcrypt() -> None:
    assert platform_settings.PASSWORD_HASHERS[0].endswith(".BCryptSHA256PasswordHasher")
