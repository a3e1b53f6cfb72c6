"""The contact fields that tenants and customers share (compat/data_model.md 3)."""

from django.db import models


class Contact(models.Model):
    """Where and how somebody is reached."""

    country = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=255, blank=True)
    city = models.CharField(max_length=255, blank=True)
    address = models.TextField(blank=True)
    address2 = models.TextField(blank=True)
    zip = models.CharField(max_length=255, blank=True)
    phone = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=255, blank=True)

    class Meta:
        abstract = True
