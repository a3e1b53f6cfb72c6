"""`manage.py create_sysadmin`."""
