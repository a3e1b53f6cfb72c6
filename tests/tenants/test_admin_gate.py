"""What a tenant administrator meets in the admin: its tenant's things alone; and what the services do for its forms."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import AuditLog, Customer, Tenant, TenantProfile, User
from tenants.services.customers import create_customer
from tenants.services.groups import create_user_group
from tests.cast import PASSWORD, Cast, api, error


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:tenants_{row._meta.model_name}_{name}", args=[row.pk])


def test_administrators_log_in_there_and_the_users_of_customers_do_not(cast: Cast) -> None:
    def log_in(user: User) -> Any:
        client = Client()
        return client.post("/admin/login/?next=/admin/", {"username": user.email, "password": PASSWORD})

    assert log_in(cast.alice).status_code == 302 and log_in(cast.sam).status_code == 302
    refused = log_in(cast.bob)
    assert refused.status_code == 200 and "staff account" in refused.text


def test_lists_hold_a_tenants_own_and_pages_of_others_are_not_there(cast: Cast) -> None:
    customer = create_customer(cast.globex, "Globex Shop")
    group = create_user_group(cast.globex.pk, "Globex Friends")
    alice = browser(cast.alice)
    for name in ("tenant", "customer", "user", "usergroup", "auditlog"):
        listed = alice.get(reverse(f"admin:tenants_{name}_changelist"))
        assert listed.status_code == 200 and "lobex" not in listed.text, name
    assert cast.alice.email in alice.get("/admin/tenants/user/").text
    for row in (customer, group, cast.gina, cast.globex, cast.sam):
        for name in ("change", "delete", "history"):
            assert alice.get(page_of(row, name)).status_code == 404, (row, name)
    entry = AuditLog.objects.filter(tenant_id=cast.globex.pk).first()
    assert alice.get(page_of(entry)).status_code == 404
    assert alice.get(page_of(group, "members")).status_code == 404
    for field in ("tenant", "customer"):
        path = f"/admin/autocomplete/?app_label=tenants&model_name=user&field_name={field}&term="
        assert "lobex" not in alice.get(path).text


def test_who_runs_the_installation_sees_all(cast: Cast) -> None:
    sam = browser(cast.sam)
    create_customer(cast.globex, "Globex Shop")
    listed = sam.get("/admin/tenants/customer/").text
    assert "Globex Shop" in listed
    users = sam.get("/admin/tenants/user/").text
    assert cast.alice.email in users and cast.gina.email in users
    assert sam.get(page_of(cast.bistro)).status_code == 200
    assert sam.post(page_of(cast.bistro), {"title": "Mine"}).status_code == 403


def test_a_tenant_is_made_changed_and_deleted_by_the_system_alone(cast: Cast) -> None:
    sam, add = browser(cast.sam), "/admin/tenants/tenant/add/"
    assert browser(cast.alice).get(add).status_code == 403
    assert browser(cast.alice).post(page_of(cast.acme), {"title": "Mine"}).status_code == 403
    profile = TenantProfile.objects.get()
    assert sam.post(add, {"title": "Initech", "profile": profile.pk}).status_code == 302
    tenant = Tenant.objects.get(title="Initech")
    assert sam.post(page_of(tenant), {"title": "Initrode", "profile": profile.pk}).status_code == 302
    assert sam.post(page_of(tenant, "delete"), {"post": "yes"}).status_code == 302
    actions = (
        AuditLog.objects.filter(entity_id=tenant.pk).order_by("created_time", "id").values_list("action", flat=True)
    )
    assert list(actions) == ["ADDED", "UPDATED", "DELETED"]
    assert "is prohibited" in sam.post(page_of(profile, "delete"), {"post": "yes"}, follow=True).text


def test_a_customer_is_of_the_callers_tenant_whatever_the_form_says(cast: Cast) -> None:
    alice = browser(cast.alice)
    alice.post("/admin/tenants/customer/add/", {"title": "Shop", "tenant": cast.globex.pk})
    shop = Customer.objects.get(title="Shop")
    assert shop.tenant == cast.acme
    taken = alice.post("/admin/tenants/customer/add/", {"title": "Shop"})
    assert taken.status_code == 200 and "already exists" in taken.text
    assert alice.post(page_of(shop, "delete"), {"post": "yes"}).status_code == 302
    assert not Customer.objects.filter(pk=shop.pk).exists()


def test_a_user_is_made_in_the_place_that_its_maker_may_give(cast: Cast) -> None:
    alice, add = browser(cast.alice), "/admin/tenants/user/add/"
    wish = {"email": "new@bistro.example", "authority": "CUSTOMER_USER", "customer": cast.bistro.pk}
    assert alice.post(add, {**wish, "authority": "SYS_ADMIN"}).status_code == 200
    foreign = create_customer(cast.globex, "Globex Shop")
    assert "Select a valid choice" in alice.post(add, {**wish, "customer": foreign.pk}).text
    assert not User.objects.filter(email=wish["email"]).exists()
    made = alice.post(add, {**wish, "tenant": cast.globex.pk})
    user = User.objects.get(email=wish["email"])
    assert made.status_code == 302 and (user.tenant, user.customer) == (cast.acme, cast.bistro)
    alice.post(page_of(user), {"email": user.email, "is_active": "on", "authority": "SYS_ADMIN", "tenant": ""})
    user.refresh_from_db()
    assert (user.authority, user.tenant, user.is_superuser) == ("CUSTOMER_USER", cast.acme, False)


def test_the_activation_link_of_a_new_user_is_shown_and_that_is_in_the_log(cast: Cast) -> None:
    sam = browser(cast.sam)
    wish = {"email": "boss@acme.example", "authority": "TENANT_ADMIN", "tenant": cast.acme.pk}
    assert sam.post("/admin/tenants/user/add/", wish).status_code == 302
    user = User.objects.get(email=wish["email"])
    assert page_of(user, "activation") in sam.get(page_of(user)).text
    assert "activateToken=" in sam.get(page_of(user, "activation")).text
    assert AuditLog.objects.filter(entity_id=user.pk, action="CREDENTIALS_READ", user_id=cast.sam.pk).exists()
    assert "already activated" in sam.get(page_of(cast.alice, "activation")).text
    assert browser(cast.gina).get(page_of(user, "activation")).status_code == 404


def test_a_user_who_is_switched_off_or_deleted_is_logged_out(cast: Cast) -> None:
    alice, bob = browser(cast.alice), api(cast.bob)
    assert bob.get("/api/auth/user").status_code == 200
    assert alice.post(page_of(cast.bob), {"email": cast.bob.email}).status_code == 302
    assert error(bob.get("/api/auth/user")) == (401, 10)
    assert alice.post(page_of(cast.bob, "delete"), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=cast.bob.pk).exists()
    refused = alice.post(page_of(cast.alice, "delete"), {"post": "yes"}, follow=True)
    assert "You cannot delete yourself." in refused.text and User.objects.filter(pk=cast.alice.pk).exists()


def test_members_of_a_user_group_come_and_go(cast: Cast) -> None:
    group = create_user_group(cast.acme.pk, "Cooks")
    alice, path = browser(cast.alice), page_of(group, "members")
    alice.post(path, {"names": cast.bob.email})
    assert list(group.members) == [cast.bob] and cast.bob.email in alice.get(path).text
    assert "Nothing here is called" in alice.post(path, {"names": cast.gina.email}, follow=True).text
    assert "Not a customer user" in alice.post(path, {"names": cast.alice.email}, follow=True).text
    alice.post(path, {"remove": "no key"})
    alice.post(path, {"remove": str(cast.bob.pk)})
    assert list(group.members) == []


@pytest.mark.parametrize("lookup", ["password__startswith", "session_generation", "tenant__title__startswith"])
def test_a_password_cannot_be_guessed_by_filtering(cast: Cast, lookup: str) -> None:
    assert browser(cast.alice).get(f"/admin/tenants/user/?{lookup}=m").status_code == 400


def test_the_history_of_something_is_what_the_audit_log_has_about_it(cast: Cast) -> None:
    alice = browser(cast.alice)
    page = alice.get(page_of(cast.bistro, "history"), follow=True)
    assert page.status_code == 200 and "Bistro" in page.text and "Added" in page.text
    foreign = alice.get(f"/admin/tenants/auditlog/?entity_id={cast.gina.pk}").text
    assert cast.gina.email not in foreign


def test_pages_load_and_run_nothing_of_other_hosts(cast: Cast) -> None:
    for page in (Client().get("/admin/login/"), browser(cast.alice).get("/admin/tenants/user/")):
        policy = page["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "http" not in policy and "frame-ancestors 'none'" in policy
