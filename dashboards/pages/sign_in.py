"""Signing in and first passwords. The pages show forms; their scripts send them to the API's own endpoints."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboards.pages.page import open_page, page, safe_next
from tenants.services.activation import is_expired
from tenants.services.passwords import policy


@open_page
def login(request: HttpRequest) -> HttpResponse:
    """/auth/login: who is signed in already is led on."""
    following = safe_next(request)
    if request.user.is_authenticated:
        return redirect(following)
    context = {"next": following, "activated": "activated" in request.GET}
    return page(request, "login", context, entry="login")


@open_page
def create_password(request: HttpRequest) -> HttpResponse:
    """/login/createPassword?activateToken=: the first password of a new user (compat/data_model.md 2.1)."""
    token = request.GET.get("activateToken", "")
    expired = is_expired(token)
    if expired is None or expired:
        return page(request, "link_expired", {"expired": expired}, status=404)
    return page(request, "create_password", {"token": token, "policy": policy()}, entry="password")


@open_page
def link_expired(request: HttpRequest) -> HttpResponse:
    """/activationLinkExpired: where an old activation link leads."""
    return page(request, "link_expired", {"expired": True}, status=404)
