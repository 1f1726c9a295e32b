"""What the directory says of people."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the directory: the object id is the identity, the name is for display."""

    oid: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """What the directory said about a person at one moment."""

    person: Person
    enabled: bool
    member: bool
    groups: frozenset[str]
    checked_at: datetime
    addresses: frozenset[str] = frozenset()
    """Mail and user principal name, in lower case."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to tell, and where mail reaches them; no address where the directory has none."""

    person: Person
    address: str = ""
