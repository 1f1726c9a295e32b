"""Connections to Microsoft: no environment variable changes whom they trust, no call waits for ever."""

import logging
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ReadTimeoutError, ResponseError
from urllib3.util.retry import Retry

TIMEOUT = (2.0, 5.0)
"""Seconds to connect, and to wait for the next bytes of an answer."""

MOST_WAIT = 5.0
"""Seconds that all the waits between the tries of one request may take together."""


class PatientRetry(Retry):
    """Waits as long as the server asks, if we have the time; else its refusal is the answer."""

    waited = 0.0

    def new(self, **changes: Any) -> Self:  # noqa: ANN401 - urllib3's
        """Carry the time waited so far on to the next try."""
        copy = super().new(**changes)
        copy.waited = self.waited
        return copy

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Decide on another try; not after a silence, because a second one would double the time it costs."""
        if isinstance(error, ReadTimeoutError):
            raise error
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        following.waited += following.pause(response)
        if _pool is not None and following.waited > MOST_WAIT:
            raise MaxRetryError(_pool, url or "", ResponseError("asked to wait too long"))
        return following

    def pause(self, response: BaseHTTPResponse | None) -> float:
        """Tell how many seconds urllib3 is about to wait."""
        asked = self.get_retry_after(response) if response is not None else None
        return asked or self.get_backoff_time()


class _Adapter(HTTPAdapter):
    """Keeps connections alive, and sets the time-outs where the caller (MSAL) sets none."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        super().__init__(pool_maxsize=8, max_retries=_retry())
        self._timeout = timeout

    def send(self, request: PreparedRequest, *args: Any, **settings: Any) -> Response:  # noqa: ANN401 - requests'
        """Send as requests does, but never without time-outs."""
        settings["timeout"] = settings.get("timeout") or self._timeout
        return super().send(request, *args, **settings)


class _WithoutQuery(logging.Filter):
    """Keeps queries out of urllib3's log lines: a look-up in Graph has an e-mail address in its query."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut what follows a question mark; let every record pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
        return True


_WITHOUT_QUERY = _WithoutQuery()


def open_session(*, ca_bundle: str = "", proxy: str = "", timeout: tuple[float, float] = TIMEOUT) -> Session:
    """Make the one session for Entra and Graph: https alone, no redirects, no cookies.

    `ca_bundle`: a file of certificates to trust in place of the public ones. `timeout`: seconds to connect
    and to read. REQUESTS_CA_BUNDLE, HTTPS_PROXY and .netrc have no say: a proxy is one that is named here.
    """
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_WITHOUT_QUERY)
    session = Session()
    session.trust_env = False
    session.verify = ca_bundle or True
    session.proxies = {"https": proxy} if proxy else {}
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    del session.adapters["http://"]
    session.mount("https://", _Adapter(timeout))
    return session


def _retry() -> PatientRetry:
    return PatientRetry(
        total=2,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=0.2,
        raise_on_status=False,
    )
