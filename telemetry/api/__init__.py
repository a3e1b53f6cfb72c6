"""ThingsBoard's REST API of telemetry and attributes."""
