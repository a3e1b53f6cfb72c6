"""The kernel is a Django app only for its outbox and timer tables."""

from django.apps import AppConfig


class KernelConfig(AppConfig):
    """Registers the outbox and timer tables."""

    name = "thingsboard.kernel"
    label = "kernel"
    verbose_name = "Messages"  # what operators see of it in the admin
