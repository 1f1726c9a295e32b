"""What travels through browsers and mails, sealed by a key that never leaves KMS."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.errors import BrokenLink
from bot.seals import BROKEN

LONGEST = 6_000
"""Letters that are worth a call: KMS seals 4,096 bytes at most, and anybody can send us letters."""
NOT_OURS = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
"""What Decrypt says of another key's seal, and of a damaged one or of one for another purpose."""
_LETTERS = re.compile(r"[A-Za-z0-9_-]+")


class KmsSealer:
    """`ports.Sealer`: Encrypt and Decrypt of one symmetric key; the purpose is the encryption context.

    https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html: what was sealed for one purpose can be
    opened for no other, and a function's role can be kept to its own purposes.
    """

    def __init__(self, clients: Clients, key: str) -> None:
        self._clients = clients
        self._key = key

    def seal(self, purpose: str, text: str) -> str:
        """Give letters that may stand in a URL or a cookie; raise `Unavailable`."""
        with unavailable("kms:Encrypt"):
            sealed = self._clients("kms").encrypt(Plaintext=text.encode(), **self._lock(purpose))
        return _written(sealed["CiphertextBlob"])

    def unseal(self, purpose: str, sealed: str) -> str:
        """Give the text back; raise `BrokenLink` for anything not sealed here for this purpose, `Unavailable`."""
        blob = _read(sealed)
        try:
            with unavailable("kms:Decrypt"):
                opened = self._clients("kms").decrypt(CiphertextBlob=blob, **self._lock(purpose))
        except ClientError as error:
            if code_of(error) in NOT_OURS:
                raise BrokenLink(BROKEN) from error
            raise
        try:
            return str(opened["Plaintext"], "utf-8")
        except UnicodeDecodeError as problem:
            raise BrokenLink(BROKEN) from problem

    def _lock(self, purpose: str) -> dict[str, Any]:
        return {"KeyId": self._key, "EncryptionContext": {"purpose": purpose}}


def _written(blob: bytes) -> str:
    return urlsafe_b64encode(blob).rstrip(b"=").decode()


def _read(sealed: str) -> bytes:
    """The bytes behind the letters, if they are written as `_written` writes them: one seal has one spelling."""
    if len(sealed) > LONGEST or not _LETTERS.fullmatch(sealed):
        raise BrokenLink(BROKEN)
    try:
        blob = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except binascii.Error as problem:
        raise BrokenLink(BROKEN) from problem
    if _written(blob) != sealed:
        raise BrokenLink(BROKEN)
    return blob
