"""AWS clients, made when first needed, once; and their errors turned into ours."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider
from botocore.exceptions import BotoCoreError, ClientError, DataNotFoundError, ParamValidationError
from botocore.parsers import ResponseParserError

from bot.errors import Unavailable

log = logging.getLogger(__name__)

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=20,
)
PASSING = frozenset(
    {
        "ConflictException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
    }
)
"""Error codes of AWS after which the same call may succeed later."""
HELD_UP = {
    "DisabledException": "the KMS key is disabled: enable it, or name another one in the settings",
    "KMSInvalidStateException": "the KMS key is being deleted or imported: name another one in the settings",
    "ParameterLimitExceeded": "the account's quota of parameters is used up: raise it, or remove what is not needed",
    "ParameterMaxVersionLimitExceeded": "a label holds the oldest of its 100 versions: remove the label",
    "UnrecognizedClientException": "AWS does not know these credentials: renew them",
}
"""Error codes of AWS after which the same call succeeds only when an operator has acted, and how."""
BUGS = (DataNotFoundError, ParamValidationError)
"""What botocore raises for a call that no retry makes right."""
TOO_MANY, SERVER_ERROR = 429, 500


class Clients:
    """One botocore client a service, shared by all threads; endpoint and credentials are found as AWS documents.

    `credentials`: whom to be instead, such as a role of another account.
    """

    def __init__(self, region: str = "", credentials: CredentialProvider | None = None) -> None:
        self._region = region or None
        self._credentials = credentials
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session: Any = None

    def __call__(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """The client of a service."""
        with self._lock:
            if service not in self._made:
                self._session = self._session or self._new_session()
                self._made[service] = self._session.create_client(service, region_name=self._region, config=CONFIG)
            return self._made[service]

    def _new_session(self) -> Any:  # noqa: ANN401 - botocore's
        session = botocore.session.get_session()
        if self._credentials:
            session.get_component("credential_provider").insert_before("env", self._credentials)
        return session


@contextmanager
def unavailable(action: str) -> Iterator[None]:
    """Raise `Unavailable` for what may pass, and for what only an operator can mend; let the rest through."""
    try:
        yield
    except ClientError as error:
        if advice := _advice(code_of(error), action):
            log.error("%s failed: %s (%s)", action, advice, error)
        elif code_of(error) not in PASSING and not _is_passing(_status(error)):
            raise
        raise Unavailable(f"{action} failed: {code_of(error)}") from error
    except BUGS:
        raise
    except (BotoCoreError, ResponseParserError) as error:
        raise Unavailable(f"{action} failed: {type(error).__name__}") from error


def code_of(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _advice(code: str, action: str) -> str:
    if "AccessDenied" in code and action == "sts:AssumeRole":
        return "grant it to the function's role, and have the trust policy name that role and the policy's external_id"
    if "AccessDenied" in code:
        return f"grant {action} on this resource to the function's role"
    return HELD_UP.get(code, "")


def _is_passing(status: int) -> bool:
    return status == TOO_MANY or status >= SERVER_ERROR


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
