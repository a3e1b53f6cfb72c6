"""The page that says with whom a device or a group of devices is shared."""

import uuid
from typing import Any

from devices.services.shares import Share, Shared, share_with, shares_of, withdraw_from
from tenants.admin.gate import within_reach
from tenants.admin.members import Line, Members, named
from tenants.models import User, UserGroup
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest

CHOICES = ((Action.VIEW.value, "may look"), (Action.CONTROL.value, "may look and control"))


def shares_page(target: Shared, user: Any, back: str) -> Members:
    """What is shown of the shares of a thing that `user` manages, and how they are given and taken."""

    def add(names: list[str], choice: str) -> None:
        if choice not in dict(CHOICES):
            raise BadRequest("Expected view or control.")
        for name in names:
            share_with(target, _holder(name, user), Action(choice))

    def remove(key: str) -> None:
        kind, _, text = key.partition(":")
        model = {"user": User, "group": UserGroup}.get(kind)
        holder = None if model is None else within_reach(model, user).filter(pk=_uuid(text)).first()
        if holder is None:
            raise BadRequest("It is not shared with that.")
        withdraw_from(target, holder)

    return Members(
        title=f"Shares of {target}",
        back=back,
        hint="E-mail address of a customer user, or name of a group of users",
        rows=shares_of(target),
        line=_line,
        add=add,
        remove=remove,
        choices=CHOICES,
        single=True,
    )


def _line(share: Share) -> Line:
    kind = "user" if isinstance(share.holder, User) else "group"
    return Line(f"{kind}:{share.holder.pk}", str(share.holder), dict(CHOICES)[share.action.value])


def _holder(name: str, user: Any) -> Any:
    model, field = (User, "email") if "@" in name else (UserGroup, "name")
    return named(model, user, field, [name])[0]


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
