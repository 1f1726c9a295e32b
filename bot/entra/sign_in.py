"""Signing people in: authorization code with PKCE, through MSAL, and an id_token that is checked by ourselves.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from requests import RequestException, Session

from bot.entra.credential import UNREADABLE, WHAT_TO_DO, Credential, Given, given, open_app
from bot.errors import BrokenLink, NotIdentified, Unavailable
from bot.ports import Clock

if TYPE_CHECKING:
    from bot.entra.id_token import IdTokens

INCOMPLETE = "The sign-in could not be completed; nothing has changed. Open the link again."
"""One text for all that is forged, mixed up or used twice: nobody is identified yet, and the log has the reason."""

PASSING = frozenset({"server_error", "temporarily_unavailable"})
"""Entra's errors that pass by themselves."""

NOT_OURS = frozenset({"invalid_grant", "invalid_request"})
"""Entra's errors for a code that is used, old, made up, or was given to another sign-in."""

OTHER_ADDRESS = 500112
"""Entra's own number, below `invalid_client`, for a code that was made for another redirect URI."""

NOT_NOW = frozenset({"access_denied", "consent_required", "interaction_required", "login_required"})
"""Entra's errors for a person whom it does not let in, or who did not want to."""

NUMBER = re.compile(r"AADSTS[0-9]{4,9}")
"""Entra's number for what went wrong: what a helpdesk asks for. Its text may say more than a page should."""

MOST_WORDS = 300
"""Letters of a reason in the log."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has signed in: `oid` in `tenant` is the person; the name is for display alone."""

    oid: str
    tenant: str
    name: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a sign-in under way has to be kept, sealed, in the browser that began it."""

    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    scope: tuple[str, ...]


class SignIn:
    """One MSAL app for the life of the process, made when somebody first signs in; it keeps nobody's tokens."""

    def __init__(
        self,
        session: Session,
        *,
        authority: str,
        tenant: str,
        client_id: str,
        credential: Credential,
        redirect_uri: str,
        clock: Clock,
    ) -> None:
        self._session = session
        self._tenant = tenant.lower()
        self._authority = f"{authority.rstrip('/')}/{self._tenant}"
        self._client_id = client_id.lower()
        self._credential = credential
        self._made_of: object = None
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._lock = Lock()
        self._app: Any = None
        self._id_tokens: IdTokens | None = None

    def start(self) -> tuple[str, str]:
        """Give the address to send the browser to, and the flow to seal for `finish`; raise `Unavailable`."""
        with self._msal() as app:
            flow = self._initiated(app)
        begun = Flow(flow["state"], flow["nonce"], flow["code_verifier"], flow["redirect_uri"], tuple(flow["scope"]))
        return str(flow["auth_uri"]), json.dumps(asdict(begun))

    def finish(self, flow: str, query: Mapping[str, str]) -> SignedIn:
        """Tell who came back with this query.

        Raise `BrokenLink` for what is forged, mixed up or used twice, `NotIdentified` for whom Entra does not let in
        or who did not want to, and `Unavailable`.
        """
        begun = _read_flow(flow)
        if begun is None or begun.redirect_uri != self._redirect_uri:
            raise _broken("the flow is none of this sign-in")
        if query.get("state") != begun.state:
            raise _broken("the answer belongs to another sign-in")
        if error := query.get("error"):
            raise _denied(error, query.get("error_description", ""))
        if not query.get("code"):
            raise _broken("the answer has no code")
        return self._signed_in(self._redeemed(begun, query["code"]), begun.nonce)

    def _redeemed(self, begun: Flow, code: str) -> str:
        """Give the id_token for a code, as it came."""
        with self._msal() as app:
            try:
                # Nothing else of the query: MSAL would put a part of it into a header.
                answer = app.acquire_token_by_auth_code_flow(asdict(begun), {"state": begun.state, "code": code})
            except RuntimeError:  # MSAL's word for another nonce
                raise _broken("the id_token answers another sign-in") from None
            token = answer.get("id_token")
            if not isinstance(token, str) or not token:
                raise _refusal(answer)
            return token

    def _signed_in(self, token: str, nonce: str) -> SignedIn:
        from bot.entra.id_token import Forged  # noqa: PLC0415 - costs an eighth of a second

        try:
            claims = self._checked().claims(token, nonce=nonce)
        except Forged as why:
            raise _broken(f"the id_token is refused: {why}") from None
        oid = str(claims["oid"]).lower()
        return SignedIn(oid, self._tenant, str(claims.get("name") or oid))

    def _initiated(self, app: Any) -> Mapping[str, Any]:  # noqa: ANN401 - MSAL's
        with self._lock, warnings.catch_warnings():
            # MSAL would have the answer posted. Then our Lax cookie would stay behind, and the flow in it.
            warnings.filterwarnings("ignore", "response_mode=", UserWarning)
            flow: Mapping[str, Any] = app.initiate_auth_code_flow(
                scopes=[], redirect_uri=self._redirect_uri, prompt="select_account", response_mode="query"
            )
            return flow

    @contextmanager
    def _msal(self) -> Iterator[Any]:
        """Give MSAL's app; after a trouble the next sign-in gets another one.

        It remembers what went wrong: one person's 429 would stop everybody's sign-in, and one answer that cannot be
        read every later one.
        """
        from msal.exceptions import MsalError  # noqa: PLC0415 - costs a quarter of a second

        try:
            with self._lock:
                credential = given(self._credential)
                if self._app is None or credential != self._made_of:
                    self._app, self._made_of = self._open(credential), credential
                app = self._app
            yield app
        except (RequestException, MsalError, *UNREADABLE) as trouble:
            self._app = None
            raise _unavailable(f"{type(trouble).__name__}: {trouble}") from None
        except Unavailable:
            self._app = None
            raise

    def _open(self, credential: Given) -> Any:  # noqa: ANN401 - MSAL ships no types
        from msal import TokenCache  # noqa: PLC0415 - as above

        nothing = TokenCache()
        nothing.add = lambda *_, **__: None  # a person's tokens stay nowhere, and the code gets into no log
        return open_app(
            self._session,
            authority=self._authority,
            client_id=self._client_id,
            credential=credential,
            token_cache=nothing,
            exclude_scopes=["offline_access"],
        )

    def _checked(self) -> "IdTokens":
        from bot.entra.id_token import IdTokens  # noqa: PLC0415 - as above

        with self._lock:
            self._id_tokens = self._id_tokens or IdTokens(
                self._session,
                authority=self._authority,
                tenant=self._tenant,
                client_id=self._client_id,
                clock=self._clock,
            )
            return self._id_tokens


def _read_flow(text: str) -> Flow | None:
    try:
        kept = json.loads(text)
        scope = tuple(str(each) for each in kept["scope"])
        state, nonce, verifier, address = (
            str(kept[name]) for name in ("state", "nonce", "code_verifier", "redirect_uri")
        )
    except (ValueError, LookupError, TypeError):
        return None
    return Flow(state, nonce, verifier, address, scope) if state and nonce and verifier else None


def _broken(why: str) -> BrokenLink:
    log.warning("A sign-in is refused: %s", why)
    return BrokenLink(INCOMPLETE)


def _denied(error: str, description: str) -> NotIdentified | Unavailable:
    """Make the error for what Entra says in place of a code; only its number is passed on, for it names the cause."""
    number = NUMBER.search(description)
    known = number[0] if number else ""
    if error in PASSING:
        return _unavailable(f"{error} {known}")
    log.warning("Microsoft Entra signed nobody in: %s %s", re.sub("[^a-z_]", "", error)[:40], known)
    tell = f" and tell them {known}" if known else ""
    return NotIdentified(
        "You are not signed in, so nothing has changed. Open the link again and sign in with your own company account. "
        f"If Microsoft Entra does not let you, ask your IT support{tell}."
    )


def _refusal(answer: Mapping[str, Any]) -> BrokenLink | NotIdentified | Unavailable:
    """Make the error for what Entra says in place of an id_token."""
    error, description = str(answer.get("error") or "no id_token"), str(answer.get("error_description") or "")
    codes = answer.get("error_codes")
    if error in NOT_NOW:
        return _denied(error, description)
    if error in NOT_OURS or (isinstance(codes, list) and OTHER_ADDRESS in codes):
        return _broken(
            f"Microsoft Entra does not take the code: {error} {description.partition(chr(10))[0][:MOST_WORDS]}"
        )
    if advice := WHAT_TO_DO.get(error):
        log.error("%s (%s)", advice, description.partition("\n")[0][:MOST_WORDS])
    return _unavailable(error)


def _unavailable(why: str) -> Unavailable:
    log.warning("Microsoft Entra cannot sign anybody in: %s", " ".join(why.split())[:MOST_WORDS])
    return Unavailable(
        "Microsoft Entra cannot sign you in at the moment; nothing has changed. Open the link again in a few minutes."
    )
