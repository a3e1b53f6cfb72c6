"""Every TB_* knob of the platform, each in one place. The table in docs/reference/settings.md follows this file."""

from platform import node as _machine

from thingsboard.embedded.addresses import reachable

from . import env

TB_DATA_DIR = env.path("TB_DATA_DIR", env.BASE_DIR / "var")

# Where the listeners bind. `up` is for one machine, so it stays on loopback unless told otherwise.
TB_BIND = env.text("TB_BIND", "127.0.0.1")
TB_HTTP_PORT = env.integer("TB_HTTP_PORT", 8080, low=1, high=65535)
TB_MQTT_PORT = env.integer("TB_MQTT_PORT", 1883, low=1, high=65535)
# Where other processes reach the MQTT listener (readiness, demo devices); empty: on this machine, at TB_BIND.
TB_MQTT_HOST = env.text("TB_MQTT_HOST") or reachable(TB_BIND)
# MQTT over TLS, where both files (PEM) are named.
TB_MQTT_SSL_PORT = env.integer("TB_MQTT_SSL_PORT", 8883, low=1, high=65535)
TB_MQTT_SSL_CERT = env.text("TB_MQTT_SSL_CERT")
TB_MQTT_SSL_KEY = env.text("TB_MQTT_SSL_KEY")
TB_MQTT_SSL_KEY_PASSWORD = env.text("TB_MQTT_SSL_KEY_PASSWORD")
# MQTT over WebSocket, and over WebSocket and TLS; 0: off.
TB_MQTT_WS_PORT = env.integer("TB_MQTT_WS_PORT", 8083, low=0, high=65535)
TB_MQTT_WSS_PORT = env.integer("TB_MQTT_WSS_PORT", 0, low=0, high=65535)
# The PROXY protocol, and who may speak it: by default this machine and private networks.
TB_MQTT_PROXY_PROTOCOL = env.flag("TB_MQTT_PROXY_PROTOCOL", False)
TB_MQTT_PROXY_TRUSTED = env.networks(
    "TB_MQTT_PROXY_TRUSTED", "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"
)
TB_MQTT_PROCESSES = env.integer("TB_MQTT_PROCESSES", 1, low=1, high=64)

# The demo is seeded on an empty database only, never in production. TB_DEMO=0 stops the devices that move by
# themselves.
TB_DEMO = env.flag("TB_DEMO", True)

# MQTT front (docs/reference/limits.md).
TB_MQTT_CONNECT_TIMEOUT = env.seconds("TB_MQTT_CONNECT_TIMEOUT", 10.0, low=0.05)
TB_MQTT_MAX_PAYLOAD = env.integer("TB_MQTT_MAX_PAYLOAD", 65536, low=128, high=16 * 1024 * 1024)
TB_MQTT_MAX_CONNECTIONS = env.integer("TB_MQTT_MAX_CONNECTIONS", 18000, low=1)
# Stamps may run ahead of the clock by a second (transports/session.py): beyond 750 that would be the limit.
TB_MQTT_MAX_UNACKED = env.integer("TB_MQTT_MAX_UNACKED", 750, low=1, high=750)
TB_MQTT_WRITE_BUFFER = env.integer("TB_MQTT_WRITE_BUFFER", 1 << 20, low=4096)
TB_MQTT_IDLE_TIMEOUT = env.seconds("TB_MQTT_IDLE_TIMEOUT", 600.0, low=0.05)
# So many wrong credentials from one address (0: no limit), and it is refused for so long.
TB_MQTT_AUTH_BLOCK_ATTEMPTS = env.integer("TB_MQTT_AUTH_BLOCK_ATTEMPTS", 0)
TB_MQTT_AUTH_BLOCK_SECONDS = env.seconds("TB_MQTT_AUTH_BLOCK_SECONDS", 60.0, low=0.05)
# The time of a lease on a process's sessions; renewed five times as often.
TB_MQTT_LEASE_SECONDS = env.seconds("TB_MQTT_LEASE_SECONDS", 5.0, low=0.2)
# What was refused is logged as one line of counts this often.
TB_MQTT_REPORT_SECONDS = env.seconds("TB_MQTT_REPORT_SECONDS", 60.0, low=0.05)

# HTTP device API (docs/reference/http-device-api.md): bytes of a body, seconds a request may take in all.
TB_HTTP_MAX_PAYLOAD = env.integer("TB_HTTP_MAX_PAYLOAD", 1024 * 1024, low=128, high=50 * 1024 * 1024)
TB_HTTP_TIMEOUT = env.seconds("TB_HTTP_TIMEOUT", 10.0, low=0.05)

# The door of the web process (thingsboard/web): for everybody, before any application sees a request.
TB_HTTP_MAX_CONNECTIONS = env.integer("TB_HTTP_MAX_CONNECTIONS", 4000, low=1)
TB_HTTP_MAX_BODY = env.integer("TB_HTTP_MAX_BODY", 50 * 1024 * 1024, low=65536, high=1 << 30)
TB_HTTP_MAX_BODIES = env.integer("TB_HTTP_MAX_BODIES", 256 * 1024 * 1024, low=65536)
TB_HTTP_READ_TIMEOUT = env.seconds("TB_HTTP_READ_TIMEOUT", 20.0, low=0.05)
TB_HTTP_IDLE_TIMEOUT = env.seconds("TB_HTTP_IDLE_TIMEOUT", 60.0, low=0.05)

# WebSockets (docs/reference/websocket.md): seconds until authCmd, between pings, and until a pong; bytes of a message.
TB_WS_AUTH_TIMEOUT = env.seconds("TB_WS_AUTH_TIMEOUT", 10.0, low=0.05)
TB_WS_PING_SECONDS = env.seconds("TB_WS_PING_SECONDS", 10.0, low=0.05)
TB_WS_PONG_TIMEOUT = env.seconds("TB_WS_PONG_TIMEOUT", 30.0, low=0.05)
TB_WS_MAX_MESSAGE = env.integer("TB_WS_MAX_MESSAGE", 32768, low=1024, high=1 << 24)
# Of one socket: frames that wait, subscriptions, points of a subscription; seconds between two frames of a subscription.
TB_WS_MAX_QUEUE = env.integer("TB_WS_MAX_QUEUE", 1000, low=1)
TB_WS_MAX_SUBSCRIPTIONS = env.integer("TB_WS_MAX_SUBSCRIPTIONS", 1000, low=1)
TB_WS_MAX_POINTS = env.integer("TB_WS_MAX_POINTS", 5000, low=1)
TB_WS_UPDATE_SECONDS = env.seconds("TB_WS_UPDATE_SECONDS", 0.1, low=0.001)
# Of one web process: entities that are watched, threads that ask the database; how often rights are asked for without news.
TB_WS_MAX_WATCHED = env.integer("TB_WS_MAX_WATCHED", 20_000, low=1)
TB_WS_DB_THREADS = env.integer("TB_WS_DB_THREADS", 4, low=1, high=64)
TB_WS_RECHECK_SECONDS = env.seconds("TB_WS_RECHECK_SECONDS", 30.0, low=0.05)

# Token cache: how long an answer may be believed, and how long misses are gathered into one query.
TB_TOKEN_CACHE_SECONDS = env.seconds("TB_TOKEN_CACHE_SECONDS", 30.0)
TB_TOKEN_CACHE_SIZE = env.integer("TB_TOKEN_CACHE_SIZE", 50_000, low=1)
TB_TOKEN_MISS_WINDOW = env.seconds("TB_TOKEN_MISS_WINDOW", 0.005)

# Activity of devices (docs/reference/activity.md): after how long a silent device counts as inactive unless its attribute
# inactivityTimeout says otherwise, how often that is looked for, and how often transports report whom they heard.
TB_DEVICE_INACTIVITY_TIMEOUT = env.seconds("TB_DEVICE_INACTIVITY_TIMEOUT", 600.0, low=0.05)
TB_DEVICE_INACTIVITY_CHECK_SECONDS = env.seconds("TB_DEVICE_INACTIVITY_CHECK_SECONDS", 60.0, low=0.05)
TB_ACTIVITY_REPORT_SECONDS = env.seconds("TB_ACTIVITY_REPORT_SECONDS", 3.0, low=0.05)

# Ingest.
TB_INGEST_SHARDS = env.integer("TB_INGEST_SHARDS", 2, low=1, high=32)
TB_INGEST_BATCH = env.integer("TB_INGEST_BATCH", 1000, low=1, high=20_000)
TB_INGEST_MAX_PENDING = env.integer("TB_INGEST_MAX_PENDING", 20_000, low=1)
TB_INGEST_MAX_PENDING_BYTES = env.integer("TB_INGEST_MAX_PENDING_BYTES", 64 * 1024 * 1024, low=65536)

# Rule chains (docs/reference/rule-engine.md): lanes of a tenant's queue, in each of which messages keep their order; how
# many drains work at a time over all rules workers; how often forgotten work is looked for.
TB_RULE_LANES = env.integer("TB_RULE_LANES", 4, low=1, high=64)
TB_RULE_DRAINS = env.integer("TB_RULE_DRAINS", 1, low=1, high=64)
TB_RULE_MAX_NODES_PER_MESSAGE = env.integer("TB_RULE_MAX_NODES_PER_MESSAGE", 1000, low=1, high=1_000_000)
TB_RULE_SWEEP_SECONDS = env.seconds("TB_RULE_SWEEP_SECONDS", 1.0, low=0.05)
# Calls to them over REST (docs/reference/rest.md): how many wait for an answer in one web process, of all and of one tenant;
# seconds for which one waits that says nothing, and at most.
TB_RULE_CALLS = env.integer("TB_RULE_CALLS", 1000, low=1, high=100_000)
TB_RULE_CALLS_PER_TENANT = env.integer("TB_RULE_CALLS_PER_TENANT", 100, low=1, high=100_000)
TB_RULE_CALL_SECONDS = env.seconds("TB_RULE_CALL_SECONDS", 10.0, low=0.01)
TB_RULE_CALL_MAX_SECONDS = env.seconds("TB_RULE_CALL_MAX_SECONDS", 600.0, low=0.01)
# How much of one tenant may wait for them: bytes, and seconds of the oldest. Above it that tenant's devices are not served.
TB_RULE_BACKLOG_BYTES = env.integer("TB_RULE_BACKLOG_BYTES", 256 * 1024 * 1024, low=1)
TB_RULE_BACKLOG_SECONDS = env.seconds("TB_RULE_BACKLOG_SECONDS", 3600.0, low=0.05)
TB_RULE_BACKLOG_CHECK_SECONDS = env.seconds("TB_RULE_BACKLOG_CHECK_SECONDS", 1.0, low=0.01)
# What waits for a time at rule nodes: how often what is due is looked for; messages of one tenant, and their bytes.
TB_TIMER_SECONDS = env.seconds("TB_TIMER_SECONDS", 1.0, low=0.05)
TB_RULE_WAITING_MESSAGES = env.integer("TB_RULE_WAITING_MESSAGES", 100_000, low=1, high=100_000_000)
TB_RULE_WAITING_BYTES = env.integer("TB_RULE_WAITING_BYTES", 256 * 1024 * 1024, low=1)
# What this platform is called in keys that ThingsBoard makes of its serviceId; by default, as there, the machine's name.
TB_SERVICE_ID = env.text("TB_SERVICE_ID") or _machine()
# Work outside (docs/reference/rule-engine.md): at once in an effects process, of a tenant, of a tenant for one destination,
# and bytes of their messages. Connections that they share, and seconds until an unused one is closed.
TB_EFFECTS_AT_ONCE = env.integer("TB_EFFECTS_AT_ONCE", 2000, low=1, high=50_000)
TB_EFFECTS_PER_TENANT = env.integer("TB_EFFECTS_PER_TENANT", 1000, low=1, high=50_000)
TB_EFFECTS_PER_DESTINATION = env.integer("TB_EFFECTS_PER_DESTINATION", 500, low=1, high=50_000)
TB_EFFECTS_BYTES = env.integer("TB_EFFECTS_BYTES", 64 * 1024 * 1024, low=1)
TB_EFFECT_CLIENTS = env.integer("TB_EFFECT_CLIENTS", 400, low=4, high=50_000)
TB_EFFECT_CLIENT_IDLE_SECONDS = env.seconds("TB_EFFECT_CLIENT_IDLE_SECONDS", 60.0, low=0.05)
# How often one is tried, the first pause (doubled up to a minute), after what time another worker takes over from one that
# died, how often forgotten work is looked for, and what running work has when its worker stops.
TB_EFFECT_ATTEMPTS = env.integer("TB_EFFECT_ATTEMPTS", 5, low=1, high=1000)
TB_EFFECT_RETRY_SECONDS = env.seconds("TB_EFFECT_RETRY_SECONDS", 1.0, low=0.001)
TB_EFFECT_LEASE_SECONDS = env.seconds("TB_EFFECT_LEASE_SECONDS", 15.0, low=0.1)
TB_EFFECT_SWEEP_SECONDS = env.seconds("TB_EFFECT_SWEEP_SECONDS", 1.0, low=0.05)
TB_EFFECT_STOP_SECONDS = env.seconds("TB_EFFECT_STOP_SECONDS", 5.0, low=0.0)
# How much of one tenant's work may be stored; above it that tenant's devices are not served.
TB_EFFECTS_BACKLOG = env.integer("TB_EFFECTS_BACKLOG", 100_000, low=1)
# Messages that could not be processed: how many of a tenant are kept, the newest, and for how long.
TB_DEAD_LETTERS_PER_TENANT = env.integer("TB_DEAD_LETTERS_PER_TENANT", 10_000, low=1, high=10_000_000)
TB_DEAD_LETTERS_DAYS = env.integer("TB_DEAD_LETTERS_DAYS", 30, low=1, high=3650)
# Debug events and traces (docs/guides/debug-a-rule-chain.md): of a tenant in a minute, bytes of a message's data and of its
# metadata, days that both are kept, events of a node and traces of a tenant that are kept.
TB_RULE_DEBUG_PER_MINUTE = env.integer("TB_RULE_DEBUG_PER_MINUTE", 1000, high=100_000)
TB_RULE_DEBUG_MAX_BYTES = env.integer("TB_RULE_DEBUG_MAX_BYTES", 4096, low=64, high=1 << 20)
TB_RULE_DEBUG_DAYS = env.integer("TB_RULE_DEBUG_DAYS", 7, low=1, high=3650)
TB_RULE_DEBUG_PER_NODE = env.integer("TB_RULE_DEBUG_PER_NODE", 1000, low=1, high=1_000_000)
TB_RULE_TRACE_PER_MINUTE = env.integer("TB_RULE_TRACE_PER_MINUTE", 0, high=10_000)
TB_RULE_TRACES_PER_TENANT = env.integer("TB_RULE_TRACES_PER_TENANT", 1000, low=1, high=1_000_000)
# Scripts of rule nodes (docs/reference/rule-engine.md): CPU time of one call (ms), memory of one script and the longest result
# (bytes), and how many scripts a process keeps ready to run.
TB_SCRIPT_TIMEOUT_MS = env.integer("TB_SCRIPT_TIMEOUT_MS", 1000, low=10, high=60_000)
TB_SCRIPT_MEMORY_BYTES = env.integer("TB_SCRIPT_MEMORY_BYTES", 16 * 1024 * 1024, low=1 << 20, high=1 << 30)
TB_SCRIPT_RESULT_SIZE = env.integer("TB_SCRIPT_RESULT_SIZE", 1024 * 1024, low=1024, high=64 << 20)
TB_SCRIPTS_KEPT = env.integer("TB_SCRIPTS_KEPT", 128, low=1, high=10_000)

# The disk of the database: below so many free bytes nothing is stored or acknowledged. Only the embedded database's disk
# is known; that of another server can be watched where its file system is mounted here.
TB_DISK_MIN_FREE = env.integer("TB_DISK_MIN_FREE", 512 * 1024 * 1024)
TB_DISK_PATH = env.path("TB_DISK_PATH", None if env.text("DATABASE_URL") else TB_DATA_DIR / "postgres")

# Numbers for Prometheus (docs/reference/metrics.md).
TB_METRICS_TOKEN = env.text("TB_METRICS_TOKEN")
TB_MQTT_METRICS_PORT = env.integer("TB_MQTT_METRICS_PORT", 0, high=65535)

# What was refused of devices (docs/guides/device-does-not-connect.md).
TB_REFUSALS_PER_TENANT = env.integer("TB_REFUSALS_PER_TENANT", 1000, low=1, high=100_000)
TB_REFUSALS_DAYS = env.integer("TB_REFUSALS_DAYS", 7, low=1, high=3650)
TB_REFUSALS_WINDOW_SECONDS = env.seconds("TB_REFUSALS_WINDOW_SECONDS", 3600.0, low=1)
TB_REFUSALS_FLUSH_SECONDS = env.seconds("TB_REFUSALS_FLUSH_SECONDS", 1.0, low=0.01)

# Telemetry.
TB_JSON_TYPE_CAST = env.flag("TB_JSON_TYPE_CAST", True)
TB_MAX_STRING_VALUE_LENGTH = env.integer("TB_MAX_STRING_VALUE_LENGTH", 0)
TB_MAX_KEYS_PER_MESSAGE = env.integer("TB_MAX_KEYS_PER_MESSAGE", 1000, low=1)
TB_MAX_KEYS_PER_TENANT = env.integer("TB_MAX_KEYS_PER_TENANT", 20_000, low=1)
TB_TS_PAST_DAYS = env.integer("TB_TS_PAST_DAYS", 730, low=1, high=36500)
TB_TS_FUTURE_DAYS = env.integer("TB_TS_FUTURE_DAYS", 30, low=1, high=3650)
TB_TS_COMPRESS_AFTER_DAYS = env.integer("TB_TS_COMPRESS_AFTER_DAYS", 7, low=1)
TB_TS_RETENTION_DAYS = env.integer("TB_TS_RETENTION_DAYS", 0)
# After so many seconds the database gives up a query of history.
TB_TS_QUERY_SECONDS = env.seconds("TB_TS_QUERY_SECONDS", 30.0, low=0.001)
# Erasing what deleted entities measured: how often what is due is looked for, and how long late messages are waited for.
TB_ERASURE_SECONDS = env.seconds("TB_ERASURE_SECONDS", 5.0, low=0.05)
TB_ERASURE_SETTLE_SECONDS = env.seconds("TB_ERASURE_SETTLE_SECONDS", 120.0)

# Rule chains (docs/guides/rule-chains.md): nodes of one chain, and how many of its versions are kept.
TB_RULE_CHAIN_NODES = env.integer("TB_RULE_CHAIN_NODES", 1000, low=1, high=10_000)
TB_RULE_CHAIN_VERSIONS = env.integer("TB_RULE_CHAIN_VERSIONS", 100, low=1, high=10_000)

# Connections on behalf of users (docs/guides/integrations.md): whether they go to public addresses alone, what else is
# permitted, and where Slack is.
TB_SSRF_GUARD = env.flag("TB_SSRF_GUARD", True)
TB_SSRF_ALLOWED = env.destinations("TB_SSRF_ALLOWED")
TB_SLACK_URL = env.text("TB_SLACK_URL", "https://slack.com/api").rstrip("/")

# Signing in (docs/reference/rest.md). Design: tokens of 60 minutes and 30 days, browser sessions of an hour or 30 days.
TB_ACCESS_TOKEN_SECONDS = env.seconds("TB_ACCESS_TOKEN_SECONDS", 3600.0, low=1)
TB_REFRESH_TOKEN_SECONDS = env.seconds("TB_REFRESH_TOKEN_SECONDS", 30 * 86400.0, low=1)
TB_SESSION_SECONDS = env.integer("TB_SESSION_SECONDS", 3600, low=1, high=10 * 365 * 86400)
TB_SESSION_REMEMBER_SECONDS = env.integer("TB_SESSION_REMEMBER_SECONDS", 30 * 86400, low=1, high=10 * 365 * 86400)
# For how long a process may believe that a user's session is good: what ends it is promised to work within a second.
TB_SESSION_CACHE_SECONDS = env.seconds("TB_SESSION_CACHE_SECONDS", 1.0, high=1.0)
TB_SESSION_CACHE_SIZE = env.integer("TB_SESSION_CACHE_SIZE", 10_000, low=1)
TB_PASSWORD_MIN_LENGTH = env.integer("TB_PASSWORD_MIN_LENGTH", 6, low=1, high=72)
TB_ACTIVATION_SECONDS = env.seconds("TB_ACTIVATION_SECONDS", 86400.0, low=1)
TB_LOGIN_MAX_FAILURES = env.integer("TB_LOGIN_MAX_FAILURES", 10, low=1)
TB_LOGIN_MAX_FAILURES_PER_ADDRESS = env.integer("TB_LOGIN_MAX_FAILURES_PER_ADDRESS", 100, low=1)
TB_LOGIN_LOCK_SECONDS = env.seconds("TB_LOGIN_LOCK_SECONDS", 900.0, low=0.05)
# Whether administrators may log in as the users whom they manage.
TB_USER_TOKEN_ACCESS = env.flag("TB_USER_TOKEN_ACCESS", True)
# For how long the audit log is kept; 0: for ever.
TB_AUDIT_RETENTION_DAYS = env.integer("TB_AUDIT_RETENTION_DAYS", 365, high=36500)
# Whose X-Forwarded-For and X-Forwarded-Proto are believed. The loopback is where the proxy of docs/guides/install.md is.
TB_TRUSTED_PROXIES = env.networks("TB_TRUSTED_PROXIES", "127.0.0.0/8,::1/128")
# How browsers reach us, for links that are printed or handed on: https://iot.example.org. Empty: as the request says.
TB_BASE_URL = env.text("TB_BASE_URL").rstrip("/")
