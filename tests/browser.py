"""A real browser: Debian's Chromium, driven by Playwright. Its flags are here and nowhere else.

Playwright's event loop runs in the thread of the test while a browser is open, so modules that use it have no `async def`
tests, and every fixture of it ends with its module.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

# No start-up errands: they would try to reach the network and show up as failures.
FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
SECONDS = 15.0  # how long something may take to appear

Visit = Callable[..., "Visitor"]


@dataclass
class Visitor:
    """One person's browser window, and what went wrong in it."""

    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda line: line.type in ("error", "warning") and self.errors.append(line.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._note)

    def forget(self, *expected: str) -> None:
        """Every error so far holds one of these words, and is all right."""
        surprises = [each for each in self.errors if not any(word in each for word in expected)]
        assert not surprises, surprises
        self.errors.clear()

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up by the browser itself, as the page was left before it came
            self.errors.append(f"{request.url}: {request.failure}")

    def _note(self, response: Any) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        assert not os.environ.get("CI"), "chromium must be installed where CI is set"
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        # Root has no sandbox.
        browser = playwright.chromium.launch(
            executable_path=program, chromium_sandbox=os.geteuid() != 0, args=list(FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """A fresh visitor of a platform: `visit(port, width=390)`. At the end of the test nothing must have gone wrong."""
    visitors: list[Visitor] = []

    def come(port: int, *, width: int = 1280, height: int = 900, **options: Any) -> Visitor:
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{port}", viewport={"width": width, "height": height}, **options
        )
        context.set_default_timeout(SECONDS * 1000)
        visitors.append(Visitor(context, context.new_page()))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.context.close()
    errors = [visitor.errors for visitor in visitors if visitor.errors]
    assert not errors, errors
