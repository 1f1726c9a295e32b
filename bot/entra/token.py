"""The bot's own token for Graph (client credentials), through MSAL.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import logging
from collections.abc import Mapping
from threading import Lock
from typing import Any

from requests import RequestException, Session

from bot.entra.credential import UNREADABLE, WHAT_TO_DO, Credential, given, open_app
from bot.errors import Unavailable

MOST_WORDS = 300
"""Letters of a reason in the log, which may be a whole page of a proxy."""

log = logging.getLogger(__name__)


class AppToken:
    """One MSAL app for the life of the process: it keeps the token, and gets another when that runs out."""

    def __init__(
        self,
        session: Session,
        *,
        authority: str,
        tenant: str,
        client_id: str,
        credential: Credential,
        scope: str,
    ) -> None:
        self._session = session
        self._authority = f"{authority.rstrip('/')}/{tenant}"
        self._client_id = client_id
        self._credential = credential
        self._scope = scope
        self._app: Any = None
        self._made_of: object = None
        self._lock = Lock()

    def current(self) -> str:
        """Give a token that is good for some minutes yet; raise `Unavailable` when Entra gives none."""
        with self._lock:
            return self._acquire()

    def renewed(self, refused: str) -> str:
        """Give another token than the one Graph refused; of several who ask, the first one fetches it."""
        with self._lock:
            token = self._acquire()
            if token == refused:
                self._app.remove_tokens_for_client()
                token = self._acquire()
            return token

    def _acquire(self) -> str:
        from msal.exceptions import MsalError  # noqa: PLC0415 - costs a quarter of a second

        try:
            answer = self._opened().acquire_token_for_client([self._scope])
            token = answer.get("access_token")
        except (RequestException, MsalError, *UNREADABLE) as trouble:
            if isinstance(trouble, UNREADABLE):
                self._app = None  # it remembers what it could not read, and would stumble over it for ever
            cause = trouble.__context__ if isinstance(trouble.__context__, ValueError) else trouble
            raise _unavailable(f"{type(trouble).__name__}: {cause}") from None
        if not isinstance(token, str) or not token:
            if answer.get("error") == "invalid_client" and self._is_rotated():
                return self._acquire()
            raise _refusal(answer)
        return token

    def _is_rotated(self) -> bool:
        """Whether another secret is stored by now than the one that was refused."""
        return not isinstance(self._credential, Mapping) and self._credential.fresh() != self._made_of

    def _opened(self) -> Any:  # noqa: ANN401 - MSAL ships no types
        """The app, made anew when its secret was rotated."""
        credential = given(self._credential)
        if self._app is None or credential != self._made_of:
            self._app, self._made_of = None, credential
            self._app = open_app(
                self._session,
                authority=self._authority,
                client_id=self._client_id,
                credential=credential,
            )
        return self._app


def _refusal(answer: Mapping[str, Any]) -> Unavailable:
    """Say in the log what an administrator has to do, because no retry will help against a wrong setting."""
    error = str(answer.get("error") or "neither token nor error")
    description = str(answer.get("error_description") or "").partition("\n")[0]
    if advice := WHAT_TO_DO.get(error):
        log.error("%s (%s: %s)", advice, error, description)
    return _unavailable(f"{error}: {description}")


def _unavailable(why: str) -> Unavailable:
    log.warning("No token from Microsoft Entra: %s", " ".join(why.split())[:MOST_WORDS])
    return Unavailable(
        "Microsoft Entra gives the bot no access to the company directory, so nobody's groups can be asked; "
        "nothing is recorded until it does."
    )
