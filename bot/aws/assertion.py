"""AWS's word for which role this function runs under: Entra takes it in place of a secret.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
"""

import logging
from collections.abc import Callable

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.errors import Unavailable

ACTION = "sts:GetWebIdentityToken"
SECONDS = 300
"""Long enough for one question to Entra; the role's policy may allow no more."""

WHAT_TO_DO = {
    "OutboundWebIdentityFederationDisabledException": "switch it on for the account, once "
    "(iam:EnableOutboundWebIdentityFederation)",
    "SessionDurationEscalationException": f"the role's session ends within {SECONDS} seconds: the next one will do",
}

log = logging.getLogger(__name__)


def aws_assertion(clients: Clients, audience: str) -> Callable[[], str]:
    """Give what asks STS, in the function's own region, for a token that says who this is; it raises `Unavailable`."""

    def asserted() -> str:
        try:
            with unavailable(ACTION):
                answer = clients("sts").get_web_identity_token(
                    Audience=[audience], SigningAlgorithm="RS256", DurationSeconds=SECONDS
                )
        except ClientError as error:
            code = code_of(error)
            advice = WHAT_TO_DO.get(code, "STS answers it only at an endpoint of a region, and to a role's session")
            log.error("%s failed: %s (%s)", ACTION, advice, error)
            raise Unavailable(f"{ACTION} failed: {code}") from error
        return str(answer["WebIdentityToken"])

    return asserted
