"""ThingsBoard's API of dashboards, and our own."""
