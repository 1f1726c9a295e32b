"""A role of another account: the bot becomes it where a policy says that an environment is there."""

from botocore.credentials import CredentialProvider, DeferredRefreshableCredentials

from bot.aws.clients import Clients, unavailable

SESSION = "model-approvals"
"""What AWS notes down as the name of whoever wrote."""


class AssumedRole(CredentialProvider):
    """Credentials of a role, asked for with the first call and anew before they end."""

    METHOD = "model-approvals-role"

    def __init__(self, clients: Clients, role_arn: str, external_id: str) -> None:
        super().__init__()
        self._clients, self._role_arn, self._external_id = clients, role_arn, external_id

    def load(self) -> DeferredRefreshableCredentials:
        """Give botocore what asks when it has to."""
        return DeferredRefreshableCredentials(self._assume, self.METHOD)

    def _assume(self) -> dict[str, str]:
        """Assume it; raise `Unavailable` where its trust policy, or our own role, does not let us."""
        with unavailable("sts:AssumeRole"):
            answer = self._clients("sts").assume_role(
                RoleArn=self._role_arn, RoleSessionName=SESSION, ExternalId=self._external_id
            )
        found = answer["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }
