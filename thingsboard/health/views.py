"""GET /health/live and /health/ready. Open to everybody: they tell nothing that helps an attacker."""

import dataclasses

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from .checks import run_all


@require_safe
async def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return _never_cached(JsonResponse({"status": "UP"}))


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis, a rules worker and the MQTT listener all answer and the disk has room; else 503 and why."""
    checks = await run_all()
    well = all(check.ok for check in checks.values())
    body = {
        "status": "UP" if well else "DOWN",
        "checks": {name: dataclasses.asdict(check) for name, check in checks.items()},
    }
    response = _never_cached(JsonResponse(body, status=200 if well else 503))
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django logs every 503 as an error of ours
    return response


def _never_cached(response: JsonResponse) -> JsonResponse:
    response["Cache-Control"] = "no-store"
    return response
