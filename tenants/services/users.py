"""Writes of users, and logging in."""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from tenants.limits import require_room
from tenants.models import Authority, Customer, Tenant, User
from tenants.services.sessions import end_all_sessions
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest, Unauthenticated
from thingsboard.kernel.ids import EntityType

# ThingsBoard's own demo (compat/data_model.md 13); a production start refuses to run with any of them.
DEMO_PASSWORDS = {
    "sysadmin@thingsboard.org": "sysadmin",
    "tenant@thingsboard.org": "tenant",
    "customer@thingsboard.org": "customer",
    "customerA@thingsboard.org": "customer",
    "customerB@thingsboard.org": "customer",
    "customerC@thingsboard.org": "customer",
}


@transaction.atomic
def create_user(
    email: str,
    authority: Authority,
    *,
    password: str | None = None,
    tenant: Tenant | None = None,
    customer: Customer | None = None,
    **fields: Any,
) -> User:
    """A user in its place: a tenant administrator has a tenant, a customer user a customer as well.

    Without a password nobody can log in as it yet. Raises BadRequest for an address that is none or taken and for a
    place that does not fit the authority, LimitExceeded by the tenant profile.
    """
    try:
        validate_email(email)
    except ValidationError:
        raise BadRequest(f"Invalid email address format '{email[:100]}'!") from None
    if customer is not None and tenant is None:
        tenant = customer.tenant
    _require_fitting_place(authority, tenant, customer)
    if tenant is not None:
        require_room(tenant.pk, EntityType.USER, User.objects.filter(tenant=tenant).count)
    with refusing({"tenants_user_email_key": f"User with email '{email}' already present in database!"}):
        # The admin asks Django's permissions; whoever runs the installation has all of them, everybody else none.
        fields["is_superuser"] = authority == Authority.SYS_ADMIN
        user: User = User.objects.create_user(
            email, password, authority=authority, tenant=tenant, customer=customer, **fields
        )
    return user


def log_in(email: str, password: str) -> User:
    """The user whose e-mail and password these are. Raises Unauthenticated. Counts nothing: edges call `sign_in`.

    Unknown addresses cost the same work as wrong passwords, so that the time of an answer tells nobody who exists; and
    only who knows the password learns that an account is switched off.
    """
    user: User | None = User.objects.select_related("tenant", "customer").filter(email=email).first()
    if user is None:
        User().set_password(password)
        raise Unauthenticated("Invalid username or password")
    if not user.check_password(password):
        raise Unauthenticated("Invalid username or password")
    if not user.is_active:
        raise Unauthenticated("User account is not active")
    user.last_login = timezone.now()
    # Not save(): that would make every process ask again about all of the user's sessions.
    User.objects.filter(pk=user.pk).update(last_login=user.last_login)
    return user


@transaction.atomic
def set_password(user: User, password: str) -> None:
    """Give the user a new password; every token and browser session of before is outdated from now on."""
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_sessions(user)


def demo_passwords_in_use() -> list[str]:
    """The e-mail addresses of active demo users that still have the password that everybody knows."""
    users = User.objects.filter(email__in=DEMO_PASSWORDS, is_active=True).order_by("email")
    return [user.email for user in users if check_password(DEMO_PASSWORDS[user.email], user.password)]


def _require_fitting_place(authority: Authority, tenant: Tenant | None, customer: Customer | None) -> None:
    """What the constraint `user_place_fits_authority` says, and that the customer is of the tenant, in sentences."""
    expected = {
        Authority.SYS_ADMIN: (False, False),
        Authority.TENANT_ADMIN: (True, False),
        Authority.CUSTOMER_USER: (True, True),
    }[Authority(authority)]
    if (tenant is not None, customer is not None) != expected:
        raise BadRequest(
            f"{authority}: expected {'a' if expected[0] else 'no'} tenant and {'a' if expected[1] else 'no'} customer."
        )
    if customer is not None and tenant is not None and customer.tenant_id != tenant.pk:
        raise BadRequest("The customer belongs to another tenant.")
