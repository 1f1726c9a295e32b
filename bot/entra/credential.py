"""How the bot proves that it is its app registration: by a secret, by a certificate, or by another cloud's word.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from requests import RequestException, Session

from bot.errors import SettingsError, Unavailable
from bot.ports import Secret

Credential = Secret | Mapping[str, Any]
"""A secret, a certificate with its key, or a callable's assertion."""
Given = str | Mapping[str, Any]
"""What MSAL takes as `client_credential`."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What MSAL raises, by accident or not, when Entra's answer has another shape than it expects."""

WHAT_TO_DO = {
    "invalid_client": "Entra refuses the bot's credential: put a valid one of the app into the settings.",
    "unauthorized_client": "Entra does not know the app here: compare client id and tenant in the settings.",
    "invalid_scope": "Entra does not know Graph's address: authority and Graph must be of the same cloud.",
    "invalid_resource": "Entra does not know Graph's address: authority and Graph must be of the same cloud.",
}
"""What an administrator has to do after an error of the token endpoint that no retry can mend."""


class NoAssertion(RequestException):
    """The other cloud gave no word: for MSAL that is a silent network, so that it goes on with a token it has."""


def credential_of(*, secret: Secret | None, certificate: str, assertion: Callable[[], str]) -> Credential:
    """Choose a secret, else a certificate (the path of a PEM file with its key), else what `assertion` gives.

    Raise `SettingsError` for a file that is of no use; the assertion is asked for only when a token is.
    """
    if secret:
        return secret
    if certificate:
        return _read_certificate(Path(certificate))
    return {"client_assertion": lambda: _asserted(assertion)}


def given(credential: Credential) -> Given:
    """What MSAL takes as `client_credential` now; raise `Unavailable` for a secret that cannot be had."""
    return credential if isinstance(credential, Mapping) else credential()


def open_app(session: Session, *, authority: str, client_id: str, credential: Given, **more: Any) -> Any:  # noqa: ANN401 - MSAL ships no types
    """Make MSAL's app, when it is first needed: making it asks Entra, and Entra may be down at a start."""
    from msal import ConfidentialClientApplication  # noqa: PLC0415 - costs a quarter of a second

    # It logs whole the answer that it cannot read, and a token may be in it.
    logging.getLogger("msal.oauth2cli.oauth2").setLevel(logging.CRITICAL)
    return ConfidentialClientApplication(
        client_id,
        client_credential=credential,
        authority=authority,
        instance_discovery=False,
        azure_region=False,  # else the variable MSAL_FORCE_REGION would choose the host that hears the credential
        http_client=session,
        **more,
    )


def _asserted(assertion: Callable[[], str]) -> str:
    try:
        return assertion()
    except Unavailable as trouble:
        raise NoAssertion(str(trouble)) from trouble


def _read_certificate(path: Path) -> Credential:
    """Read the certificate that belongs to the key, whatever else is in the file; the file's contents stay unsaid."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - costs an eighth of a second
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - as above

    try:
        pem = path.read_bytes()
        key = load_pem_private_key(pem, password=None)
        certificates = load_pem_x509_certificates(pem)
    except OSError as problem:
        raise _unusable(path, f"cannot be read: {problem.strerror}") from None
    except TypeError:
        raise _unusable(path, "has an encrypted private key: decrypt it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, "has to hold a certificate and its private key, both as PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(path, "has a private key that is not RSA: Entra takes no other")
    mine = [each for each in certificates if each.public_key() == key.public_key()]
    if not mine:
        raise _unusable(path, "has a private key and a certificate that do not belong together")
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"private_key": secret.decode(), "public_certificate": mine[0].public_bytes(Encoding.PEM).decode()}


def _unusable(path: Path, why: str) -> SettingsError:
    return SettingsError([f"MODEL_APPROVALS_ENTRA_CERTIFICATE: {path} {why}."])
