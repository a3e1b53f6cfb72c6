"""Whether the platform lives and is ready, for load balancers, container engines and `manage.py up`."""
