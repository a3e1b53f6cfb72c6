"""What `manage.py up` does: checks first, then servers, set-up, and the processes of the platform, kept alive."""
