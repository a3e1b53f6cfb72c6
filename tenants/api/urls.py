"""Routes under /api/."""

from django.urls import path

from tenants.api import activation, audit, auth, customers, profiles, tenants, user_lists, user_settings, users
from tenants.api.urls_v1 import entities
from thingsboard.kernel.shared_paths import Theirs, also_under_api

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
    path("customer", customers.Customers.as_view()),
    path("customer/<str:customer_id>", customers.OneCustomer.as_view()),
    path("customer/<str:customer_id>/shortInfo", customers.ShortInfo.as_view()),
    path("customer/<str:customer_id>/title", customers.Title.as_view()),
    path("customers/list", customers.CustomerList.as_view()),
    path("tenant/customers", customers.CustomerOfTitle.as_view()),
    path("tenant", tenants.Tenants.as_view()),
    path("tenant/info/<str:tenant_id>", tenants.OneTenantInfo.as_view()),
    path("tenant/<str:tenant_id>", tenants.OneTenant.as_view()),
    path("tenants/list", tenants.TenantList.as_view()),
    path("tenantInfos", tenants.TenantInfoPage.as_view()),
    path("tenantProfile", profiles.Profiles.as_view()),
    path("tenantProfile/<str:profile_id>", profiles.OneProfile.as_view()),
    path("tenantProfile/<str:profile_id>/default", profiles.DefaultProfile.as_view()),
    path("tenantProfiles/list", profiles.ProfileList.as_view()),
    path("tenantProfileInfo/default", profiles.DefaultProfileInfo.as_view()),
    path("tenantProfileInfo/<str:profile_id>", profiles.OneProfileInfo.as_view()),
    path("tenantProfileInfos", profiles.ProfileInfoPage.as_view()),
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
    path("users/list", user_lists.UsersByIds.as_view()),
    path("users/info", user_lists.UserInfos.as_view()),
    path("tenant/<str:tenant_id>/users", user_lists.TenantAdmins.as_view()),
    path("customer/<str:customer_id>/users", user_lists.CustomerUsers.as_view()),
]

urlpatterns += also_under_api(
    entities.urls,
    {
        "customers": Theirs(customers.CustomerPage.as_view(), "pageSize", "page", "customerIds"),
        "users": Theirs(user_lists.AllUsers.as_view(), "pageSize", "page", "userIds"),
        "tenants": Theirs(tenants.TenantPage.as_view(), "pageSize", "page", "tenantIds"),
        "tenantProfiles": Theirs(profiles.ProfilePage.as_view(), "pageSize", "page", "ids"),
    },
)
