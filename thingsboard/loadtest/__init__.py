"""Simulated devices against a running platform: what `manage.py loadtest` does, from one cheap process."""
