"""What the caller may do with which alarm, and with what alarms are about. Foreign is 404, seen but not allowed is 403."""

import uuid
from typing import Any

from rest_framework.request import Request

from alarms.models import Alarm
from alarms.querysets import AlarmQuerySet
from tenants.models import User
from tenants.permissions import callers_tenant
from thingsboard.kernel.api import path_uuid
from thingsboard.kernel.entities import Action, allowed, not_found, visible
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityId, EntityType


def visible_alarms(user: Any, action: Action = Action.VIEW) -> AlarmQuerySet:
    """The alarms with which `user` may do this, with what an AlarmInfo needs."""
    return Alarm.objects.visible_to(user, action).select_related("assignee")


def visible_alarm(request: Request, alarm_id: str, action: Action = Action.VIEW) -> Alarm:
    """One of them. Raises BadRequest, NotFound, Forbidden."""
    return found_alarm(request.user, path_uuid(alarm_id), action)


def found_alarm(user: Any, key: uuid.UUID, action: Action = Action.VIEW) -> Alarm:
    """The same by its id."""
    alarm: Alarm | None = visible_alarms(user, action).filter(pk=key).first()
    if alarm is None:
        if action is not Action.VIEW and visible_alarms(user).filter(pk=key).exists():
            raise Forbidden
        raise not_found(EntityType.ALARM, key)
    return alarm


def customer_of_originator(request: Request, originator: EntityId) -> uuid.UUID | None:
    """The customer whose an alarm of this originator is, None for nobody's; who may control it, may raise alarms of it.

    Raises BadRequest, NotFound, Forbidden.
    """
    if originator.type is EntityType.ALARM:
        raise BadRequest("originator: an alarm is not about another alarm")
    row = visible(originator, request.user)
    if not allowed(originator, request.user, Action.CONTROL):
        raise Forbidden
    key: uuid.UUID | None = row.pk if originator.type is EntityType.CUSTOMER else getattr(row, "customer_id", None)
    return key


def visible_entity(request: Request, entity_type: str, entity_id: str) -> EntityId:
    """The entity of a path, which the caller sees. Raises BadRequest, NotFound."""
    if entity_type.upper() not in EntityType.__members__:
        raise BadRequest(f"Unknown entityType '{entity_type[:40]}'")
    entity = EntityId(EntityType[entity_type.upper()], path_uuid(entity_id))
    visible(entity, request.user)
    return entity


def visible_assignee(request: Request, key: uuid.UUID) -> User:
    """Who can be asked to look after an alarm: a user of the tenant whom the caller sees. Raises NotFound."""
    users = User.objects.visible_to(request.user)
    found: User | None = users.filter(pk=key, tenant_id=callers_tenant(request)).first()
    if found is None:
        raise not_found(EntityType.USER, key)
    return found
