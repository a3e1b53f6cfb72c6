"""Groups of users, which things are shared with."""

from django.contrib.auth.models import Group
from django.db import models

from tenants.models.owned import TenantOwned
from tenants.models.user import User
from tenants.querysets import UserGroupQuerySet


class UserGroup(TenantOwned):
    """A tenant's group of its customers' users. Its members are those of a Django group, which django-guardian knows."""

    name = models.CharField(max_length=255)
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="+", editable=False)
    additional_info = models.JSONField(null=True, blank=True)

    objects = UserGroupQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="user_group_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def members(self) -> models.QuerySet[User]:
        """Its users, by e-mail address."""
        found: models.QuerySet[User] = User.objects.filter(groups=self.group_id).order_by("email")
        return found
