"""What AWS refuses, refused by us first and in words. Pure.

Parameter Store: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
The registry: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

import re
import unicodedata
from collections.abc import Mapping

from bot.encoding import LIMIT
from bot.errors import Malformed

DEPTH = 15
NAME_LENGTH = 1011 - len("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter")
"""The documented 1,011 characters include the beginning of the ARN."""
METADATA_ENTRIES, KEY_LENGTH, VALUE_LENGTH, DESCRIPTION_LENGTH = 50, 128, 256, 1024
LINE_ENDS = frozenset("\n\r\x85\u2028\u2029")
"""What a dot does not match in the pattern of ApprovalDescription."""
_NAME = re.compile(r"(/[a-zA-Z0-9_.-]+)+")
_VERSION = re.compile(r":[1-9][0-9]*\Z")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
_PUNCTUATION = frozenset("_.:/=+-@")
_STAGE = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def check_name(name: str) -> None:
    """Raise `Malformed` for a name that Parameter Store would refuse."""
    if not _NAME.fullmatch(name) or _RESERVED.match(name):
        raise Malformed(f"{name[:200]!r} is no parameter name: letters, digits, _ . - between slashes, not aws or ssm.")
    if name.count("/") > DEPTH:
        raise Malformed(f"{name[:200]!r} has more than {DEPTH} levels.")
    if len(name) > NAME_LENGTH:
        raise Malformed(f"{name[:200]!r}… has more than {NAME_LENGTH} characters.")


def check_asked(name: str) -> None:
    """Raise `Malformed` for what cannot be read: neither a name, nor one with its version such as `/a/b:3`."""
    check_name(_VERSION.sub("", name))


def check_value(name: str, value: str) -> None:
    """Raise `Malformed` for a value that a Standard parameter cannot hold."""
    if not value:
        raise Malformed(f"{name} would be empty.")
    if "{{" in value:
        raise Malformed(f"{name} would hold {{{{, which Parameter Store takes for a reference.")
    if (size := _size(f"The value of {name}", value)) > LIMIT:
        raise Malformed(f"{name} would take {size} bytes; a Standard parameter holds {LIMIT}.")


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise `Malformed` for a map that CustomerMetadataProperties would not take."""
    if not 1 <= len(metadata) <= METADATA_ENTRIES:
        raise Malformed(f"CustomerMetadataProperties takes 1 to {METADATA_ENTRIES} entries, not {len(metadata)}.")
    for key, value in metadata.items():
        _check_text(f"the key {key[:60]!r}", key, KEY_LENGTH)
        _check_text(f"the value of {key[:60]!r}", value, VALUE_LENGTH)


def check_description(text: str) -> None:
    """Raise `Malformed` for an ApprovalDescription that is too long or has line breaks."""
    _size("ApprovalDescription", text)
    if len(text) > DESCRIPTION_LENGTH or LINE_ENDS & set(text):
        raise Malformed(f"ApprovalDescription takes {DESCRIPTION_LENGTH} characters on one line, not {text[:60]!r}….")


def check_life_cycle(stage: str, status: str) -> None:
    """Raise `Malformed` for words that ModelLifeCycle would not take."""
    for word in (stage, status):
        if not _STAGE.fullmatch(word):
            raise Malformed(f"{word[:80]!r} is no stage or status of ModelLifeCycle: letters, digits, single dashes.")


def _size(what: str, text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as problem:
        raise Malformed(f"{what} is no text: {problem.reason}.") from problem


def _check_text(what: str, text: str, length: int) -> None:
    if not 1 <= len(text) <= length:
        raise Malformed(f"CustomerMetadataProperties: {what} takes 1 to {length} characters, not {len(text)}.")
    for letter in text:
        if letter not in _PUNCTUATION and unicodedata.category(letter)[0] not in "LZN":
            raise Malformed(f"CustomerMetadataProperties: {what} may not hold {letter!r}.")
