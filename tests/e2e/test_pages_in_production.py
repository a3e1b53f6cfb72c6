"""The pages where DEBUG is 0: no help from a development server, cookies for TLS only, and error pages that tell nothing."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import Visit, chromium, visit
from tests.up import Up, platforms

__all__ = ["chromium", "visit"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

EMAIL, PASSWORD = "root@example.org", "nine lives of a cat"


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    """A whole platform as it is installed: empty, with a set-up link."""
    starting = platforms()
    platform = next(starting)(disk_dir, DEBUG=0)
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


def test_a_new_installation_is_set_up_and_signed_in_to(platform: Up, visit: Visit) -> None:
    link = re.search(r"http://127\.0\.0\.1:\d+(/setup/\S+)", platform.log.read_text())
    assert link
    visitor = visit(platform.http_port)
    page = visitor.page
    page.goto(link[1])
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile("/admin/login/"))
    page.goto("/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    assert {each["name"]: each["secure"] for each in visitor.context.cookies()} == {
        "csrftoken": True,
        "sessionid": True,
    }
    expect(page.get_by_text("native partitions").or_(page.get_by_text("TimescaleDB")).first).to_be_visible()
    expect(page.get_by_text("Asking the parts")).to_have_count(0)
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    visitor.forget("404")


def test_every_file_of_the_login_comes_from_the_web_process_itself(platform: Up) -> None:
    base = f"http://127.0.0.1:{platform.http_port}"
    with urllib.request.urlopen(f"{base}/auth/login", timeout=10) as page:
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.read().decode())
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert len(files) >= 4
    for file in files:
        request = urllib.request.Request(base + file, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200 and answer.headers["X-Content-Type-Options"] == "nosniff", file
            assert ("immutable" in answer.headers["Cache-Control"]) is ("/assets/" in file), file
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{base}/static/dashboards/assets/none.js", timeout=10)
    refused.value.close()
    assert refused.value.code == 404
