"""Routes under /setup/."""

from django.urls import path

from tenants.pages.setup import setup

urlpatterns = [path("<str:token>", setup)]
