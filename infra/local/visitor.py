"""Somebody with a browser and without JavaScript: opens pages, keeps cookies, follows redirects, fills in forms.

visitor = Visitor()
page = visitor.open(link)                      # ends on the login page
page = visitor.press(page, "Maya Chen")        # and comes back
page = visitor.press(page, "Approve for dev")
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 10
SILENT = {"script", "style", "head", "title"}
"""Elements whose text nobody sees."""


@dataclass(slots=True)
class Button:
    """What can be pressed in a form."""

    text: str = ""
    name: str = ""
    value: str = ""


@dataclass(slots=True)
class Form:
    """A form with what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What came back in the end; `text` is what a person reads, `hops` the addresses on the way."""

    url: str
    status: int
    headers: Mapping[str, str]
    html: str
    text: str
    forms: tuple[Form, ...]
    links: Mapping[str, str]
    hops: tuple[str, ...]

    @property
    def buttons(self) -> list[str]:
        """Everything that can be pressed."""
        return [button.text for form in self.forms for button in form.buttons]


class Visitor:
    """One person's browser; a new one has no cookies."""

    def __init__(self, *, keeps_cookies: bool = True) -> None:
        """`keeps_cookies` False: a scanner of links in mails."""
        self._pool = urllib3.PoolManager(retries=False, timeout=20)
        self._keeps = keeps_cookies
        self.cookies: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Page:
        """Open an address and follow where it leads."""
        return self._followed(method, url, None, dict(headers or {}), ())

    def press(self, page: Page, button: str, **values: str) -> Page:
        """Fill in and send the form that has this button (the beginning of its text is enough)."""
        for form in page.forms:
            for each in form.buttons:
                if each.text.startswith(button):
                    return self._sent(page, form, each, values)
        raise LookupError(f"there is no button {button!r} among {page.buttons}: {page.text[:500]}")

    def _sent(self, page: Page, form: Form, button: Button, values: Mapping[str, str]) -> Page:
        sent = {**form.fields, **values, **({button.name: button.value} if button.name else {})}
        target = urljoin(page.url, form.action)
        if form.method != "post":
            return self.open(f"{target}?{urlencode(sent)}")
        parts = urlsplit(page.url)
        same = "same-origin" if urlsplit(target).netloc == parts.netloc else "cross-site"
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": same}
        return self._followed("POST", target, urlencode(sent).encode(), headers, ())

    def _followed(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], hops: tuple[str, ...]
    ) -> Page:
        host = urlsplit(url).hostname or ""
        jar = self.cookies.get(host, {})
        sent = dict(headers)
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        response = self._pool.request(method, url, body=body, headers=sent, redirect=False)
        if self._keeps:
            self._keep(host, response.headers.getlist("set-cookie"))
        if response.status in REDIRECTS and len(hops) < MOST_REDIRECTS:
            kept = method if method == "HEAD" or response.status in {307, 308} else "GET"
            onward = urljoin(url, response.headers["location"])
            return self._followed(kept, onward, body if kept == "POST" else None, {}, (*hops, url))
        return _page(url, response, hops)

    def _keep(self, host: str, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                jar = self.cookies.setdefault(host, {})
                if morsel["max-age"] == "0" or not morsel.value:
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value


def _page(url: str, response: urllib3.BaseHTTPResponse, hops: tuple[str, ...]) -> Page:
    html = response.data.decode("utf-8", "replace")
    reader = _Reader()
    reader.feed(html)
    text = "\n".join(filter(None, (" ".join(line.split()) for line in "".join(reader.seen).splitlines())))
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Page(url, response.status, headers, html, text, tuple(reader.forms), reader.links, (*hops, url))


class _Reader(HTMLParser):
    """Reads forms, links and what can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.seen: list[str] = []
        self._silent = 0
        self._link: tuple[str, list[str]] | None = None
        self._button: Button | None = None
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._silent += tag in SILENT
        if tag not in {"a", "strong", "em", "code", "time", "span", "b", "i"}:
            self.seen.append("\n")
        match tag:
            case "form":
                self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            case "input" if self.forms and given.get("name"):
                self.forms[-1].fields[given["name"]] = given.get("value", "")
            case "textarea" if self.forms:
                self._area = given.get("name", "")
                self.forms[-1].fields[self._area] = ""
            case "button" if self.forms:
                self._button = Button("", given.get("name", ""), given.get("value", ""))
                self.forms[-1].buttons.append(self._button)
            case "a":
                self._link = (given.get("href", ""), [])

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT
        match tag:
            case "button" if self._button:
                self._button.text = " ".join(self._button.text.split())
                self._button = None
            case "textarea":
                self._area = ""
            case "a" if self._link:
                self.links[" ".join("".join(self._link[1]).split())] = self._link[0]
                self._link = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data
            return
        if self._button is not None:
            self._button.text += data
        if self._link is not None:
            self._link[1].append(data)
        if not self._silent:
            self.seen.append(data)
