"""Routes under /api/."""

from django.urls import path

from tenants.api import activation, audit, auth, users

urlpatterns = [
    path("auth/login", auth.Login.as_view()),
    path("auth/token", auth.Refresh.as_view()),
    path("auth/token/refresh", auth.RefreshV1.as_view()),  # our own API's path, which means nothing else here
    path("auth/csrf", auth.Csrf.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("auth/user", auth.CurrentUser.as_view()),
    path("audit/logs", audit.Logs.as_view()),
    path("audit/logs/customer/<str:customer_id>", audit.LogsOfCustomer.as_view()),
    path("audit/logs/user/<str:user_id>", audit.LogsOfUser.as_view()),
    path("audit/logs/entity/<str:kind>/<str:entity_id>", audit.LogsOfEntity.as_view()),
    path("auth/changePassword", auth.ChangePassword.as_view()),
    path("noauth/activate", activation.Activate.as_view()),
    path("noauth/userPasswordPolicy", activation.PasswordPolicy.as_view()),
    path("user/<str:user_id>", users.OneUser.as_view()),
    path("user/<str:user_id>/activationLink", activation.ActivationLink.as_view()),
    path("user/<str:user_id>/activationLinkInfo", activation.ActivationLinkInfo.as_view()),
]
