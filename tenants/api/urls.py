"""Routes under /api/."""

from django.urls import path

from tenants.api import activation, audit, auth, user_lists, user_settings, users

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
    path("user", users.Users.as_view()),
    path("user/tokenAccessEnabled", users.TokenAccessEnabled.as_view()),
    path("user/settings", user_settings.GeneralSettings.as_view()),
    path("user/settings/<str:settings_type>", user_settings.SettingsOfKind.as_view()),
    path("user/settings/<str:settings_type>/<str:paths>", user_settings.PathsOfKind.as_view()),
    path("user/<str:user_id>", users.OneUser.as_view()),
    path("user/<str:user_id>/userCredentialsEnabled", users.CredentialsEnabled.as_view()),
    path("user/<str:user_id>/token", users.UserToken.as_view()),
    path("user/<str:user_id>/activationLink", activation.ActivationLink.as_view()),
    path("user/<str:user_id>/activationLinkInfo", activation.ActivationLinkInfo.as_view()),
    path("users", user_lists.AllUsers.as_view()),
    path("users/list", user_lists.UsersByIds.as_view()),
    path("users/info", user_lists.UserInfos.as_view()),
    path("tenant/<str:tenant_id>/users", user_lists.TenantAdmins.as_view()),
    path("customer/<str:customer_id>/users", user_lists.CustomerUsers.as_view()),
]
