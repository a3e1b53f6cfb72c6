"""/api/alarm*: one alarm at a time (compat/rest.tsv, AlarmController)."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from alarms.api.access import customer_of_originator, found_alarm, visible_alarm, visible_assignee
from alarms.api.shapes import alarm_info_json, alarm_request, originator_of, state_of, time_of
from alarms.models import Alarm
from alarms.services.alarms import (
    Wishes,
    acknowledge_alarm,
    assign_alarm,
    clear_alarm,
    create_or_update_alarm,
    delete_alarm,
    unassign_alarm,
    update_alarm,
)
from alarms.services.originators import names_of
from alarms.services.state import alarm_json
from tenants.api.shapes import user_email_json
from tenants.api.user_lists import page_of
from tenants.models import User
from tenants.permissions import InTenant, callers_tenant
from thingsboard.kernel.api import View, flag_of, id_of, path_uuid
from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import EntityType


class Alarms(View):
    """POST /api/alarm"""

    permission_classes = [InTenant]

    def post(self, request: Request) -> Response:
        """Raise one, or update the active one of that originator and type; with an `id`, replace that one. An Alarm.

        The body's tenantId and customerId count for nothing: an alarm belongs to whom its originator belongs.
        """
        body = self.body(request)
        key = id_of(body, "id", EntityType.ALARM)
        if key is not None:
            found = found_alarm(request.user, key, Action.CONTROL)
            said = alarm_request(body, found.originator, found.tenant_id, found.customer_id)
            return Response(alarm_json(update_alarm(found, said, wishes=_wishes(request, body))))
        originator = originator_of(body)
        customer_id = customer_of_originator(request, originator)
        said = alarm_request(body, originator, callers_tenant(request), customer_id)
        return Response(alarm_json(create_or_update_alarm(said, wishes=_wishes(request, body))))


class OneAlarm(View):
    """/api/alarm/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, alarm_id: str) -> Response:
        """An Alarm."""
        return Response(alarm_json(state_of(visible_alarm(request, alarm_id))))

    def delete(self, request: Request, alarm_id: str) -> Response:
        """True."""
        delete_alarm(visible_alarm(request, alarm_id, Action.MANAGE))
        return Response(True)


class OneAlarmInfo(View):
    """/api/alarm/info/{id}"""

    permission_classes = [InTenant]

    def get(self, request: Request, alarm_id: str) -> Response:
        """An AlarmInfo."""
        return Response(_info(visible_alarm(request, alarm_id)))


class Acknowledgement(View):
    """POST /api/alarm/{id}/ack"""

    permission_classes = [InTenant]

    def post(self, request: Request, alarm_id: str) -> Response:
        """Its AlarmInfo; 400 where it is acknowledged."""
        alarm = visible_alarm(request, alarm_id, Action.CONTROL)
        acknowledge_alarm(alarm)
        return _again(alarm)


class Clearance(View):
    """POST /api/alarm/{id}/clear"""

    permission_classes = [InTenant]

    def post(self, request: Request, alarm_id: str) -> Response:
        """Its AlarmInfo; 400 where it is cleared."""
        alarm = visible_alarm(request, alarm_id, Action.CONTROL)
        clear_alarm(alarm)
        return _again(alarm)


class Assignment(View):
    """POST /api/alarm/{id}/assign/{assigneeId}"""

    permission_classes = [InTenant]

    def post(self, request: Request, alarm_id: str, assignee_id: str) -> Response:
        """Its AlarmInfo; 400 where it is that user's already."""
        alarm = visible_alarm(request, alarm_id, Action.CONTROL)
        assign_alarm(alarm, visible_assignee(request, path_uuid(assignee_id)))
        return _again(alarm)


class NoAssignment(View):
    """DELETE /api/alarm/{id}/assign"""

    permission_classes = [InTenant]

    def delete(self, request: Request, alarm_id: str) -> Response:
        """Its AlarmInfo; 400 where it is nobody's."""
        alarm = visible_alarm(request, alarm_id, Action.CONTROL)
        unassign_alarm(alarm)
        return _again(alarm)


class UsersToAssign(View):
    """/api/users/assign/{alarmId}"""

    permission_classes = [InTenant]

    def get(self, request: Request, alarm_id: str) -> Response:
        """PageData<UserEmailInfo>: who sees the alarm and can be asked to look after it, of those whom the caller sees."""
        alarm = visible_alarm(request, alarm_id)
        users = User.objects.visible_to(request.user).filter(tenant_id=alarm.tenant_id)
        wanted = Q(customer=None) if alarm.customer_id is None else Q(customer=None) | Q(customer_id=alarm.customer_id)
        return page_of(request, users.filter(wanted), user_email_json)


def _wishes(request: Request, body: dict[str, Any]) -> Wishes:
    """What the body says that it is to be besides. Raises BadRequest, NotFound for the assignee."""
    assignee = id_of(body, "assigneeId", EntityType.USER)
    return Wishes(
        acknowledged=flag_of(body, "acknowledged"),
        ack_ts=time_of(body, "ackTs"),
        cleared=flag_of(body, "cleared"),
        clear_ts=time_of(body, "clearTs"),
        assignee=None if assignee is None else visible_assignee(request, assignee),
        assign_ts=time_of(body, "assignTs"),
    )


def _again(alarm: Alarm) -> Response:
    """What it has become."""
    return Response(_info(Alarm.objects.select_related("assignee").get(pk=alarm.pk)))


def _info(alarm: Alarm) -> dict[str, Any]:
    return alarm_info_json(alarm, names_of([alarm]))
