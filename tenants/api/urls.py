"""Routes under /api/."""

from django.urls import path

from tenants.api import auth, users

urlpatterns = [
    path("auth/login", auth.Login.as_view()),
    path("auth/token", auth.Refresh.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("auth/user", auth.CurrentUser.as_view()),
    path("user/<str:user_id>", users.OneUser.as_view()),
]
