"""The doors for programs: ThingsBoard's paths, and our own under /api/v1."""
