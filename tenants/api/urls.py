"""Routes under /api/."""

from django.urls import path

from tenants.api import audit, auth, users

urlpatterns = [
    path("auth/login", auth.Login.as_view()),
    path("auth/token", auth.Refresh.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("auth/user", auth.CurrentUser.as_view()),
    path("audit/logs", audit.Logs.as_view()),
    path("audit/logs/customer/<str:customer_id>", audit.LogsOfCustomer.as_view()),
    path("audit/logs/user/<str:user_id>", audit.LogsOfUser.as_view()),
    path("audit/logs/entity/<str:kind>/<str:entity_id>", audit.LogsOfEntity.as_view()),
    path("user/<str:user_id>", users.OneUser.as_view()),
]
