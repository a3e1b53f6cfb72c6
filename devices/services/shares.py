"""Sharing a device, or a group of devices, with a customer user or a group of users of the same tenant."""

from dataclasses import dataclass

from django.db import transaction

from devices.models import Device, DeviceGroup
from tenants.access import SHAREABLE, share, withdraw
from tenants.models import ActionType, Authority, User, UserGroup
from tenants.services import audit
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

Shared = Device | DeviceGroup
Holder = User | UserGroup


@dataclass(frozen=True, slots=True)
class Share:
    """Who may do what with a thing beyond those whose it is."""

    holder: Holder
    action: Action


@transaction.atomic
def share_with(target: Shared, holder: Holder, action: Action) -> None:
    """Let `holder` view or control `target`, instead of what it was allowed before.

    Raises BadRequest for another tenant's holder, for an administrator, who needs no share, and for another action.
    """
    if action not in SHAREABLE:
        raise BadRequest(f"A share allows {' or '.join(SHAREABLE)}, not {action}")
    if holder.tenant_id != target.tenant_id:
        raise BadRequest("It can be shared within its tenant only.")
    if isinstance(holder, User) and holder.authority != Authority.CUSTOMER_USER:
        raise BadRequest("It can be shared with customer users and groups of them; administrators see it anyway.")
    with audit.deed(ActionType.SHARED, _kind(target), target) as entry:
        share(target, _known_to_guardian(holder), action)
        entry.after({"with": str(holder), "action": action.value})


@transaction.atomic
def withdraw_from(target: Shared, holder: Holder) -> None:
    """Take back what was shared with `holder`, at once; nothing happens where nothing was shared."""
    with audit.deed(ActionType.UNSHARED, _kind(target), target) as entry:
        withdraw(target, _known_to_guardian(holder))
        entry.before({"with": str(holder)})


def shares_of(target: Shared) -> list[Share]:
    """With whom it is shared: users by e-mail address, then groups by name. Read by whoever manages the thing."""
    users = {
        row.user: Action(row.permission.codename.split("_")[0])
        for row in target.user_shares.select_related("user", "permission").order_by("user__email")
    }
    permissions = {
        row.group_id: Action(row.permission.codename.split("_")[0])
        for row in target.group_shares.select_related("permission")
    }
    groups = UserGroup.objects.filter(group_id__in=permissions).order_by("name")
    return [
        *(Share(user, action) for user, action in users.items()),
        *(Share(group, permissions[group.group_id]) for group in groups),
    ]


def _known_to_guardian(holder: Holder) -> object:
    return holder.group if isinstance(holder, UserGroup) else holder


def _kind(target: Shared) -> EntityType:
    return EntityType.DEVICE if isinstance(target, Device) else EntityType.DEVICE_GROUP
