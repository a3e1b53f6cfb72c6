"""What every page has: its head, its headers, and who may look at it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboards.pages.assets import NotBuilt, assets_of

View = Callable[..., HttpResponse]

LOGIN = "/auth/login"
HOME = "/"
LONGEST_NEXT = 2000  # characters

# Scripts and styles come in files of ours, and nothing but them runs: no inline code, no other host, no frame around us,
# and no text that becomes markup (trusted types).
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# Beside those of Django's middleware: X-Content-Type-Options, X-Frame-Options, Referrer-Policy, Cross-Origin-Opener-Policy.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, entry: str = "", status: int = 200
) -> HttpResponse:
    """A page with the scripts of all pages and those of `entry`.

    Where the front end is not built it is plain words, with 503 or the status that it has anyhow.
    """
    get_token(request)  # sets the cookie whose value our scripts show when they change something
    try:
        assets = assets_of("shell", *([entry] if entry else []))
    except NotBuilt as error:
        status = 503 if status == 200 else status  # what is missing is missing all the same
        return HttpResponse(f"{error}\n", status=status, content_type="text/plain; charset=utf-8")
    answer = render(request, f"dashboards/{template}.html", {**(context or {}), "assets": assets}, status=status)
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for what does not exist, or not for whoever asks; also Django's handler404."""
    return page(request, "missing", status=404)


def open_page(view: View) -> View:
    """A page for everybody: read-only, and kept by no cache."""
    return require_safe(never_cache(view))


def signed_in(view: View) -> View:
    """A page for whoever is signed in; everybody else is led to the login, and back afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(f"{LOGIN}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    return open_page(guarded)


def safe_next(request: HttpRequest) -> str:
    """Where to go after the login: the parameter `next` as far as it is a path of ours, else home.

    A link to our login must not lead to somebody else's page.
    """
    wanted = request.GET.get("next", "")
    ours = wanted.startswith("/") and len(wanted) <= LONGEST_NEXT
    return wanted if ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else HOME
