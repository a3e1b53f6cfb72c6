"""Words that cannot be access tokens. Imports nothing: the log's formatter reads it before any app is loaded."""

# The user name or client id of a device that is to be provisioned (compat/device_transports.md 2.1).
PROVISION = "provision"

# First path segments of our own API under /api/v1/, where the device API has its token (architecture.md 7).
RESERVED_TOKENS = frozenset(
    {
        "alarms",
        "apiKeys",
        "assetProfiles",
        "assets",
        "auditLogs",
        "auth",
        "calculatedFields",
        "customers",
        "dashboards",
        "deadLetters",
        "deviceGroups",
        "deviceProfiles",
        "devices",
        "edges",
        "entities",
        "entityViews",
        "erasures",
        "events",
        "groups",
        "me",
        "notifications",
        "otaPackages",
        PROVISION,
        "queues",
        "refusals",
        "relations",
        "resources",
        "roles",
        "rpc",
        "ruleChains",
        "rules",
        "schema",
        "search",
        "settings",
        "system",
        "telemetry",
        "tenantProfiles",
        "tenants",
        "usage",
        "userGroups",
        "users",
        "widgetTypes",
        "widgets",
    }
)
