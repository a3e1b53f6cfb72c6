"""ThingsBoard's REST API of devices, their profiles and credentials."""
