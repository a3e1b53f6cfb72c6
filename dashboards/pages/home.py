"""/: leads everybody to where their work is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboards.pages.page import signed_in

DEVICES = "/devices"


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """System administrators work in the admin, everybody in a tenant with devices."""
    return redirect("admin:index" if getattr(request.user, "authority", "") == "SYS_ADMIN" else DEVICES)
