"""Routes under /api/."""

from django.urls import path

from alarms.api import alarms, lists
from alarms.api.urls_v1 import router
from thingsboard.kernel.shared_paths import Theirs, also_under_api

urlpatterns = [
    path("alarm", alarms.Alarms.as_view()),
    path("alarm/types", lists.AlarmTypes.as_view()),
    path("alarm/info/<str:alarm_id>", alarms.OneAlarmInfo.as_view()),
    path("alarm/<str:alarm_id>", alarms.OneAlarm.as_view()),
    path("alarm/<str:alarm_id>/ack", alarms.Acknowledgement.as_view()),
    path("alarm/<str:alarm_id>/clear", alarms.Clearance.as_view()),
    path("alarm/<str:alarm_id>/assign", alarms.NoAssignment.as_view()),
    path("alarm/<str:alarm_id>/assign/<str:assignee_id>", alarms.Assignment.as_view()),
    path("alarm/highestSeverity/<str:entity_type>/<str:entity_id>", lists.HighestSeverity.as_view()),
    path("alarm/<str:entity_type>/<str:entity_id>", lists.AlarmsOfEntity.as_view()),
    path("users/assign/<str:alarm_id>", alarms.UsersToAssign.as_view()),
    path("v2/alarm/<str:entity_type>/<str:entity_id>", lists.AlarmsOfEntityV2.as_view()),
    path("v2/alarms", lists.AllAlarmsV2.as_view()),
]

urlpatterns += also_under_api(router.urls, {"alarms": Theirs(lists.AllAlarms.as_view(), "pageSize", "page")})
