"""A host's browser, without the browser: pages, forms and cookies over plain HTTP requests."""

from __future__ import annotations

import re

import requests

from tests.helpers.room_client import TIMEOUT_S, TOKEN
from tests.helpers.serving import Server

PASSWORD = "correct horse battery"


class Browser(requests.Session):
    """Keeps cookies as Safari does: over plain http none that is `Secure`, on localhost neither."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self._root = server.url
        self.token = ""

    def copy(self) -> Browser:
        """Another browser that somebody gave a copy of the cookies to."""
        other = Browser(self.server)
        other.token = self.token
        other.cookies.update(self.cookies)
        return other

    def open(self, path: str, under: str = "", **form: str) -> requests.Response:
        """Load a page, or send the form of the page before; `under` is the name that the server goes by."""
        method, data = ("POST", {"csrf_token": self.token, **form}) if form else ("GET", None)
        answer = self.request(
            method,
            self._root + path,
            data=data,
            headers={"Host": under} if under else None,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            verify=False,
        )
        found = re.search(r'(?:csrf_token" value|csrf-token" content)="([^"]+)"', answer.text)
        self.token = found[1] if found else ""
        return answer


def signed_in(server: Server, name: str = "Ada") -> Browser:
    """A browser in which this host is signed in; the account is made if there is none."""
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    browser.open("/host/welcome")
    if browser.open("/host/welcome", name=name, password=PASSWORD).status_code == 302:
        return browser
    browser.open("/host")
    assert browser.open("/host/login", name=name, password=PASSWORD).status_code == 302
    return browser


def new_key(host: Browser, name: str, scope: str) -> str:
    """The secret of a new API key of a host who is signed in, for one scope."""
    host.open("/host/account")
    assert host.open("/host/account/keys", name=name, scope=scope).status_code == 302
    return str(re.findall(r"mien_[\w-]+", host.open("/host/account").text)[0])


def delete_keys(host: Browser) -> None:
    """Delete all API keys of a host who is signed in."""
    while paths := re.findall(r"/host/account/keys/\d+/deletion", host.open("/host/account").text):
        assert host.open(paths[0], really="yes").status_code == 302
