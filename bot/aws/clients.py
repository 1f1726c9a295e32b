"""AWS clients, made when first needed, once; and their errors turned into ours."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

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
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "LimitExceededException",
        "ParameterLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TooManyUpdates",
    }
)
"""Error codes of AWS after which the same call may succeed later, or after an operator has made room."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"})
SERVER_ERROR = 500


class Clients:
    """One botocore client a service, shared by all threads; endpoint and credentials are found as AWS documents."""

    def __init__(self, region: str = "") -> None:
        self._region = region or None
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session: Any = None

    def __call__(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """The client of a service."""
        with self._lock:
            if service not in self._made:
                self._session = self._session or botocore.session.get_session()
                self._made[service] = self._session.create_client(service, region_name=self._region, config=CONFIG)
            return self._made[service]


@contextmanager
def unavailable(action: str) -> Iterator[None]:
    """Raise `Unavailable` for what may pass, and for what only an operator can mend; let the rest through."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in DENIED:
            log.error("%s is denied: grant it to the function's role (%s)", action, error)
        elif code_of(error) not in PASSING and _status(error) < SERVER_ERROR:
            raise
        raise Unavailable(f"{action} failed: {code_of(error)}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{action} failed: {type(error).__name__}") from error


def code_of(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
