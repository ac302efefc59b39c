from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.modules.run import MODULES, Run
from tests.helpers.serving import Server


@pytest.fixture
def run(server: Server, still_browser: Browser, new_page: Callable[..., Page]) -> Run:
    """Run a piece of JavaScript that finds the page's modules in `js`, such as `js.rate.RateController`."""
    page = new_page(still_browser)
    page.goto(server.url)
    names = [(Path(path).name, path) for path in MODULES]
    imports = "\n".join(f'js.{name} = await import("/static/js/{path}.js");' for name, path in names)
    return lambda code: page.evaluate(f"async () => {{ const js = {{}}; {imports}\n{code} }}")
