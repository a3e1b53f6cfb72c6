"""Making tenants, customers and users: what is refused, and what everybody gets."""

import pytest

from devices.models import DeviceProfile
from tenants.models import Authority, TenantProfile
from tenants.services.customers import create_customer
from tenants.services.tenants import create_profile, create_tenant
from tenants.services.users import create_user
from tests.cast import Cast
from thingsboard.kernel.errors import BadRequest, LimitExceeded


def test_a_new_tenant_has_the_default_profiles(cast: Cast) -> None:
    assert (cast.acme.profile.name, cast.acme.profile.is_default) == ("Default", True)
    assert cast.globex.profile == cast.acme.profile
    [profile] = DeviceProfile.objects.filter(tenant=cast.acme)
    assert (profile.name, profile.is_default) == ("default", True)


def test_titles_and_addresses_are_unique_where_they_should_be(cast: Cast) -> None:
    create_customer(cast.acme, "Bar")
    create_customer(cast.globex, "Bar")
    with pytest.raises(BadRequest, match="Customer with such title already exists!"):
        create_customer(cast.acme, "Bar")
    with pytest.raises(BadRequest, match="already present in database"):
        create_user(cast.alice.email, Authority.TENANT_ADMIN, tenant=cast.globex)
    with pytest.raises(BadRequest, match="Tenant profile with such name"):
        create_profile("Default")


def test_titles_and_addresses_must_be_there(cast: Cast) -> None:
    with pytest.raises(BadRequest, match="Tenant title should be specified"):
        create_tenant(" ")
    with pytest.raises(BadRequest, match="Customer title should be specified"):
        create_customer(cast.acme, "")
    with pytest.raises(BadRequest, match="Invalid email address"):
        create_user("nobody", Authority.SYS_ADMIN)


def test_a_users_place_must_fit_its_authority(cast: Cast) -> None:
    with pytest.raises(BadRequest, match="a tenant and no customer"):
        create_user("x@example.com", Authority.TENANT_ADMIN)
    with pytest.raises(BadRequest, match="no tenant and no customer"):
        create_user("x@example.com", Authority.SYS_ADMIN, tenant=cast.acme)
    with pytest.raises(BadRequest, match="another tenant"):
        create_user("x@example.com", Authority.CUSTOMER_USER, tenant=cast.globex, customer=cast.bistro)


def test_the_tenant_profile_limits_customers_and_users(cast: Cast) -> None:
    limits = {"configuration": {"maxCustomers": 1, "maxUsers": 1}}
    TenantProfile.objects.filter(pk=cast.acme.profile_id).update(profile_data=limits)
    customer = create_customer(cast.acme, "first")
    with pytest.raises(LimitExceeded) as caught:
        create_customer(cast.acme, "second")
    assert caught.value.extra == {"entityType": "CUSTOMER", "limit": 1}
    with pytest.raises(LimitExceeded):
        create_user("x@example.com", Authority.CUSTOMER_USER, customer=customer)
