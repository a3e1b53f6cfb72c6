"""/setup/<token>: creates the first system administrator, once (services.setup)."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tenants.address import client_address
from tenants.services import setup as service
from tenants.services.passwords import LONGEST
from thingsboard.kernel.errors import BadRequest, NotFound

# The page needs its style sheet and its own form, nothing else.
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Administrator(forms.Form):
    """Who shall be the first."""

    email = forms.EmailField(max_length=255)
    password = forms.CharField(
        max_length=LONGEST, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        max_length=LONGEST,
        strip=False,
        label="Once more",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """The same password twice."""
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password"):
            raise forms.ValidationError("The two passwords differ.")
        return again


@never_cache
@csrf_protect
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The form; 404 for a link that is used, expired or unknown. Then on to the admin's login."""
    if not service.is_open(token):
        return _page(request, None, status=404)
    form = Administrator(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            service.set_up(token, data["email"], data["password"], address=client_address(request))
        except NotFound:  # somebody was faster
            return _page(request, None, status=404)
        except BadRequest as error:
            form.add_error(None, error.message)
        else:
            return redirect("admin:login")
    return _page(request, form, status=400 if form.is_bound else 200)


def _page(request: HttpRequest, form: Administrator | None, *, status: int) -> HttpResponse:
    answer = render(request, "tenants/setup.html", {"form": form}, status=status)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
