"""Which passwords are good, and changing one's own (compat/data_model.md 12, UserPasswordPolicy)."""

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.db import transaction

from tenants.models import User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.sign_in import require_own_password
from tenants.services.users import DEMO_PASSWORDS, set_password
from thingsboard.kernel.errors import BadRequest

LONGEST = 72  # characters, as ThingsBoard's policy has it
STRONG_LENGTH = 10  # characters of who runs a production installation


def policy() -> dict[str, Any]:
    """The rules, as ThingsBoard's UserPasswordPolicy."""
    return {
        "minimumLength": settings.TB_PASSWORD_MIN_LENGTH,
        "maximumLength": LONGEST,
        "minimumUppercaseLetters": None,
        "minimumLowercaseLetters": None,
        "minimumDigits": None,
        "minimumSpecialCharacters": None,
        "allowWhitespaces": True,
        "forceUserToResetPasswordIfNotValid": False,
        "passwordExpirationPeriodDays": None,
        "passwordReuseFrequencyDays": None,
    }


def require_policy(password: str) -> None:
    """Raise BadRequest for a password that the policy forbids."""
    shortest = settings.TB_PASSWORD_MIN_LENGTH
    if len(password) < shortest:
        raise BadRequest(f"Password must be {shortest} or more characters in length.")
    if len(password) > LONGEST:
        raise BadRequest(f"Password must be no more than {LONGEST} characters in length.")


def require_strong(password: str, email: str) -> None:
    """Raise BadRequest for a password that others guess or know: for whoever runs a production installation."""
    require_policy(password)
    if password in DEMO_PASSWORDS.values():
        raise BadRequest("This is a published demo password.")
    validators: list[Any] = [
        MinimumLengthValidator(STRONG_LENGTH),
        CommonPasswordValidator(),
        NumericPasswordValidator(),
        UserAttributeSimilarityValidator(["email"]),
    ]
    try:
        validate_password(password, User(email=email), validators)
    except ValidationError as error:
        raise BadRequest(" ".join(error.messages)) from None


def change_password(user: User, current: str, new: str, address: str) -> User:
    """Replace the user's own password; ends all its sessions. The user as it is now. Raises BadRequest.

    `address` is where the wish comes from.
    """
    require_own_password(user, current, address)
    require_policy(new)
    if new == current:
        raise BadRequest("New password should be different from existing!")
    with transaction.atomic():
        locked: User = User.objects.select_for_update(of=("self",)).select_related("tenant", "customer").get(pk=user.pk)
        if locked.password != user.password:
            raise BadRequest("Current password doesn't match!")  # somebody was faster
        set_password(locked, new)
    record(AuthEvent.PASSWORD_CHANGED, user=locked, address=address)
    return locked
