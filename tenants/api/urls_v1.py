"""Routes under /api/v1/."""

from django.urls import path

from tenants.api import auth

urlpatterns = [
    path("auth/login", auth.LoginV1.as_view()),
    path("auth/token/refresh", auth.RefreshV1.as_view()),
    path("auth/csrf", auth.Csrf.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("auth/user", auth.CurrentUserV1.as_view()),
    path("auth/changePassword", auth.ChangePasswordV1.as_view()),
]
