"""Writes of users, and logging in."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from tenants.limits import require_room
from tenants.models import ActionType, ActivationToken, Authority, Customer, Tenant, User
from tenants.services import audit
from tenants.services.administrators import require_another, require_somebody_else
from tenants.services.documents import user_json
from tenants.services.events import Event, tell_entity
from tenants.services.sessions import end_all_sessions
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.entities import deleting, not_found
from thingsboard.kernel.errors import BadRequest, Forbidden, Unauthenticated, VersionConflict
from thingsboard.kernel.ids import EntityId, EntityType

LARGEST_INFO = 65_536  # bytes of additional_info as JSON

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
    _require_address(email)
    if customer is not None and tenant is None:
        tenant = customer.tenant
    _require_fitting_place(authority, tenant, customer)
    _require_small(fields.get("additional_info"))
    # The admin asks Django's permissions; whoever runs the installation has all of them, everybody else none.
    fields["is_superuser"] = authority == Authority.SYS_ADMIN
    user = User(email=email, authority=authority, tenant=tenant, customer=customer, **fields)
    user.set_password(password)  # takes its time, so before anything is locked
    with audit.deed(ActionType.ADDED, EntityType.USER, user) as entry:
        if tenant is not None:
            require_room(tenant.pk, EntityType.USER, User.objects.filter(tenant=tenant).count)
        with refusing(_taken(email)):
            user.save(force_insert=True)
        entry.after(user)
        _announce(Event.ENTITY_CREATED, user)
    return user


@dataclass(frozen=True, slots=True)
class UserFields:
    """What can be changed of a user. Its authority, tenant and customer never change."""

    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    additional_info: dict[str, Any] | None = None


@transaction.atomic
def update_user(user: User, fields: UserFields, *, by: User | None = None, version: int | None = None) -> User:
    """Replace what `fields` says. That `by`, who asks, may change the user at all, the caller has checked.

    A new e-mail address is a new name to log in with: sessions and the activation link of before end. Customer users
    keep theirs. Raises BadRequest, Forbidden, VersionConflict.
    """
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if version is not None and version != user.version:
        raise VersionConflict("It was changed by someone else: read it again and repeat the change.")
    renamed = fields.email != user.email
    if renamed:
        _require_address(fields.email)
    _require_small(fields.additional_info)
    with audit.deed(ActionType.UPDATED, EntityType.USER, user) as entry:
        entry.before(user)
        if renamed and by is not None and by.authority == Authority.CUSTOMER_USER:
            raise Forbidden("Your e-mail address is changed by your administrator.")
        values = {**asdict(fields), "version": user.version + 1}
        for name, value in values.items():
            setattr(user, name, value)
        with refusing(_taken(fields.email)):
            user.save(update_fields=list(values))
        if renamed:
            ActivationToken.objects.filter(user=user).delete()
            end_all_sessions(user)
        entry.after(user)
        _announce(Event.ENTITY_UPDATED, user)
    return user


@transaction.atomic
def delete_user(user: User, *, by: User) -> None:
    """Delete a user, with what was shared with it. Nobody deletes itself (Forbidden), nobody the last system
    administrator (BadRequest). Raises NotFound where somebody was faster.
    """
    key = user.pk
    with audit.deed(ActionType.DELETED, EntityType.USER, user) as entry:
        require_somebody_else(user, by, "delete")
        require_another(user, "deleted")
        entry.before(user)
        deleting(EntityType.USER, [key], user.tenant_id)
        _announce(Event.ENTITY_DELETED, user)
        removed, _ = user.delete()
        if not removed:
            raise not_found(EntityType.USER, key)


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


def _announce(event: Event, user: User) -> None:
    tell_entity(event, EntityId(EntityType.USER, user.pk), user, user_json(user))


def _taken(email: str) -> dict[str, str]:
    return {"tenants_user_email_key": f"User with email '{email}' already present in database!"}


def _require_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise BadRequest(f"Invalid email address format '{email[:100]}'!") from None


def _require_small(info: Any) -> None:
    try:
        size = 0 if info is None else len(orjson.dumps(info))
    except TypeError:
        raise BadRequest(
            "additionalInfo: expected numbers of at most 64 bits, valid texts and no deep nesting"
        ) from None
    if size > LARGEST_INFO:
        raise BadRequest(f"additionalInfo: expected at most {LARGEST_INFO} bytes of JSON")


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
