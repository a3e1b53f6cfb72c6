"""ThingsBoard's REST API of authentication and users."""
