"""Users: they log in with their e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from tenants.models.customer import Customer
from tenants.models.tenant import Tenant
from tenants.querysets import UserQuerySet
from thingsboard.kernel.models import Entity


class Authority(models.TextChoices):
    """ThingsBoard's three roles (compat/summary.md, "Roles")."""

    SYS_ADMIN = "SYS_ADMIN", "System administrator"
    TENANT_ADMIN = "TENANT_ADMIN", "Tenant administrator"
    CUSTOMER_USER = "CUSTOMER_USER", "Customer user"


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes users with a hashed password."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user; without a password nobody can log in as it yet."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save()
        return user  # type: ignore[no-any-return]

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A system administrator."""
        return self.create_user(email, password, authority=Authority.SYS_ADMIN, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin, Entity):
    """Who acts: authority says what in general, tenant and customer say on whose things."""

    email = models.EmailField(max_length=255, unique=True)
    authority = models.CharField(max_length=16, choices=Authority.choices)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="users")
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="users")
    first_name = models.CharField(max_length=255, blank=True)
    last_name = models.CharField(max_length=255, blank=True)
    phone = models.CharField(max_length=255, blank=True)
    additional_info = models.JSONField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    session_generation = models.PositiveIntegerField(
        default=0, editable=False, help_text="Tokens and browser sessions of an earlier generation are outdated."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_place_fits_authority",
                condition=(
                    Q(authority=Authority.SYS_ADMIN, tenant=None, customer=None)
                    | Q(authority=Authority.TENANT_ADMIN, tenant__isnull=False, customer=None)
                    | Q(authority=Authority.CUSTOMER_USER, tenant__isnull=False, customer__isnull=False)
                ),
            )
        ]

    def __str__(self) -> str:
        return self.email

    def get_session_auth_hash(self) -> str:
        """What a browser session is compared with at every request: a new password or generation ends it."""
        value = f"{self.password}:{self.session_generation}"
        return salted_hmac("tenants.User.get_session_auth_hash", value, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Who may enter the admin: administrators. What each sees there, tenants/admin/gate.py says."""
        return self.authority in {Authority.SYS_ADMIN, Authority.TENANT_ADMIN}
