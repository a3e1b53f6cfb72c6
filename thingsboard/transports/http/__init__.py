"""The HTTP device API: /api/v1/{token}/..."""
