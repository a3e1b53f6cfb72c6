"""Pages have their styles and scripts, without a step that somebody could forget."""

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/static/admin/css/base.css", "/static/rest_framework/css/default.css"])
def test_static_files_of_packages_are_served(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
