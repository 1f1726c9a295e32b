"""The answers to `model-status`, drawn once: what waits first, then which version each environment loads. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from bot.domain import GROUP, RequestId, State
from bot.line import Code, Line, Moment, Strong
from bot.policy import EMAIL
from bot.status import GroupStatus, Health, Stand
from bot.text import NOTHING, cut, one_line

WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "waiting",
        State.APPROVED: "approved",
        State.REJECTED: "rejected",
        State.EXPIRED: "expired",
        State.SUPERSEDED: "superseded",
        State.ENDED: "ended",
        State.REVOKED: "revoked",
    }
)
IN_USE = "in use"

MISSED = timedelta(minutes=15)
"""Three sweeps; the alarm waits as long."""
SLOW = timedelta(minutes=1)
FULL = 80
"""Percent of the quota of parameters; the alarm is set to it."""
TELL = "Please tell a platform engineer."
HAS = " has what is known of it."
_MENTIONED = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^>]*)?>")
_VERSION = re.compile("v?[1-9][0-9]{0,8}")

Said = tuple[Line, ...]
"""An answer that is only words, one line after the other."""
LOOKING: Said = (("That is looked up in the directory; the answer comes to you alone, in a moment.",),)
TYPED = 80
"""Letters of what somebody typed and is not known, as it is said back to them."""


@dataclass(frozen=True, slots=True)
class Question:
    """What only the directory can tell: who may answer a request, or what waits for whoever asks.

    `about` is a word for somebody else: an address, or an account of the chat.
    """

    request: RequestId | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that waits for an answer, and since when."""

    since: datetime
    group: str
    version: int
    environment: str

    @property
    def line(self) -> Line:
        """As the answer says it."""
        model = Strong(f"{self.group} v{self.version}")
        return (model, " waits for ", Strong(self.environment), " since ", Moment(self.since))


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits, the longest first, and a table; `group` is the one it is about, or nothing for all of them."""

    title: str
    says: str
    waiting: tuple[Waiting, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: str
    group: str = ""

    def beyond(self, left: int, command: str) -> Line:
        """For a surface that could not show the last `left` rows; `command` is what people type there."""
        if self.group:
            return (f"and {counted(left, 'older version', 'older versions')}",)
        groups = counted(len(self.rows), "group", "groups")
        return (f"and {left} more of {groups}: ", Code(f"{command} GROUP"))


@dataclass(frozen=True, slots=True)
class Statuses:
    """What `model-status` reads; wiring gives it. `environments` is the order of the policy."""

    overview: Callable[[], Sequence[tuple[str, GroupStatus]]]
    group: Callable[[str], GroupStatus | None]
    environments: Sequence[str] = ()
    health: Callable[[], Health | None] = lambda: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answer(self, text: str, *, command: str, unlink: str = "") -> Overview | Said | Question:
        """Answer what somebody typed after the command, or say what has to be asked; raise `Unavailable`."""
        match text.split():
            case []:
                return overview(self.overview(), self.environments)
            case ["mine"]:
                return Question()
            case ["health"]:
                return health(self.health(), _waiting(self.overview()), self.clock())
            case ["who", name, version, environment, *about] if GROUP.fullmatch(name) and len(about) <= 1:
                return self._who(name, version.removeprefix("v"), environment, about, command)
            case [name] if name != "help" and GROUP.fullmatch(name):
                status = self.group(name)
                return group(name, status, self.environments) if status else unknown(name, command)
            case [name, version] if GROUP.fullmatch(name) and _VERSION.fullmatch(version):
                return self._version(name, version.removeprefix("v"), command)
        words = usage(command, unlink=unlink)
        return words if text.split() == ["help"] else ((f"I do not know “{cut(one_line(text), TYPED)}”.",), *words)

    def _version(self, name: str, version: str, command: str) -> Overview | Said:
        status = self.group(name) or GroupStatus()
        rows = {number: row for number, row in status.versions.items() if number == version}
        loads = {each: slot for each, slot in status.approved.items() if slot.version == int(version)}
        if not rows and not loads:
            return unknown(f"{name} v{version}", command)
        return group(name, GroupStatus(rows, loads), self.environments)

    def _who(self, name: str, version: str, environment: str, about: Sequence[str], command: str) -> Said | Question:
        status = self.group(name)
        row = status.versions.get(version) if status else None
        stand = row.environments.get(environment) if row else None
        if stand is None:
            return (
                (f"{name} v{version} has not been asked about for {environment}. ", Code(f"{command} {name}"), HAS),
            )
        who = account_of(about[0]) if about else ""
        if who is None:
            return (("Name somebody by an address of the company, or, in Slack, by @ and their name.",),)
        return Question(RequestId(name, int(version), environment, stand.round), who)


def account_of(word: str) -> str | None:
    """An address, or the account that a chat writes for a mention: `<@U0MAYA|maya>`; else nothing."""
    if EMAIL.fullmatch(word):
        return word
    found = _MENTIONED.fullmatch(word)
    return found[1] if found else None


def overview(groups: Sequence[tuple[str, GroupStatus]], environments: Sequence[str] = ()) -> Overview | Said:
    """Every group: those with something waiting first; `environments` is the order of the columns."""
    if not groups:
        return (("No model version has been asked about yet.",),)
    waiting = _waiting(groups)
    asked = {each.group for each in waiting}
    ordered = sorted(groups, key=lambda each: (each[0] not in asked, each[0]))
    names = columns((status for _, status in ordered), environments)
    return Overview(
        title="Models by environment",
        says=f"{counted(len(waiting), 'request waits', 'requests wait')} for an answer.",
        waiting=waiting,
        head=("group", *names),
        rows=tuple((name, *(_loaded(status, column) for column in names)) for name, status in ordered),
        legend="v11 is what the environment loads, v12? waits for an answer there.",
    )


def group(name: str, status: GroupStatus, environments: Sequence[str] = ()) -> Overview | Said:
    """One group: its versions, newest first, and where each stands."""
    waiting = _waiting([(name, status)])
    names = columns([status], environments)
    loaded = {slot.version for slot in status.approved.values() if slot.version}
    versions = sorted({*map(int, status.versions), *loaded}, reverse=True)
    if not versions:
        return ((f"Nothing is recorded of {name} yet.",),)
    return Overview(
        title=name,
        says=f"{name}: {counted(len(waiting), 'request waits', 'requests wait')} for an answer.",
        waiting=waiting,
        head=("version", *names),
        rows=tuple((f"v{each}", *(_stands(status, each, column) for column in names)) for each in versions),
        legend=f"“{IN_USE}” is what the environment loads.",
        group=name,
    )


def health(found: Health | None, waiting: Sequence[Waiting], now: datetime) -> Said:
    """Whether the bot itself is well, what is wrong first."""
    return (_of_sweep(found, now), *_of_parameters(found), _of_requests(waiting))


def unknown(name: str, command: str) -> Said:
    """For a group that has no status."""
    what = f"Nothing is known here of {name}." if " v" in name else f"No model package group {name} is known here."
    return ((f"{what} {command} shows those that are.",),)


def usage(command: str, *, unlink: str = "") -> Said:
    """What can be asked; `unlink` is the word that ends the link of an account, where there are links."""
    ours = (
        (Code(f"{command} mine"), " shows what waits for an answer of your own groups."),
        (
            Code(f"{command} who GROUP VERSION ENVIRONMENT [ADDRESS]"),
            " says who may answer, and whether you (or somebody else) may, and why not.",
        ),
    )
    return (
        (Code(command), " shows what waits for an answer, and which version every environment of every group loads."),
        (Code(f"{command} GROUP"), " shows the versions of one model package group."),
        (Code(f"{command} GROUP VERSION"), " shows one of them."),
        *ours,
        *_unlinking(command, unlink),
        (Code(f"{command} health"), " says whether the bot itself is well."),
        ("Answers are given on the cards in the channels, never here.",),
    )


def columns(statuses: Iterable[GroupStatus], environments: Sequence[str]) -> tuple[str, ...]:
    """The policy's order; environments that it no longer has come last."""
    found: set[str] = set()
    for status in statuses:
        found |= {*status.approved, *(name for row in status.versions.values() for name in row.environments)}
    return (*environments, *sorted(found - set(environments)))


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number or 'no'} {one if number == 1 else many}"


def _of_sweep(found: Health | None, now: datetime) -> Line:
    if found is None:
        return (f"No sweep has been carried out yet; one runs every five minutes. If this stays: {TELL}",)
    if now - found.swept_at > MISSED:
        says = " Answers may still be recorded, but what was lost is not made good. "
        return ("No sweep has been carried out since ", Moment(found.swept_at), ".", says, TELL)
    took = found.done_at - found.swept_at
    if took > SLOW:
        late = counted(int(took.total_seconds() // 60), "minute", "minutes")
        return ("The queue is slow: what was sent ", Moment(found.swept_at), f" took {late}. ", TELL)
    return ("All is well: schedule, queue and worker did their part ", Moment(found.swept_at), ".")


def _of_parameters(found: Health | None) -> Said:
    if found is None or not found.parameters:
        return ()
    says = f"{found.parameters:,} of {found.quota:,} parameters of the account are used."
    return ((f"{says} They run out soon. {TELL}" if found.used >= FULL else says,),)


def _of_requests(waiting: Sequence[Waiting]) -> Line:
    if not waiting:
        return ("No request waits for an answer.",)
    says = counted(len(waiting), "request waits", "requests wait")
    return (f"{says} for an answer, the oldest since ", Moment(waiting[0].since), ".")


def _unlinking(command: str, unlink: str) -> Said:
    says = " ends the link between your account here and your company account."
    return ((Code(f"{command} {unlink}"), says),) if unlink else ()


def _waiting(groups: Iterable[tuple[str, GroupStatus]]) -> tuple[Waiting, ...]:
    return tuple(sorted(_all_waiting(groups), key=lambda each: each.since))


def _all_waiting(groups: Iterable[tuple[str, GroupStatus]]) -> Iterator[Waiting]:
    for name, status in groups:
        for version, row in status.versions.items():
            for environment, stand in row.environments.items():
                if stand.state is State.PENDING:
                    yield Waiting(stand.at, name, int(version), environment)


def _loaded(status: GroupStatus, environment: str) -> str:
    slot = status.approved.get(environment)
    loaded = f"v{slot.version}" if slot and slot.version else NOTHING
    asked = [int(version) for version in status.versions if _is_asked(_stand(status, version, environment))]
    if not asked:
        return loaded
    rest = f"+{len(asked) - 1}" if asked[1:] else ""
    return f"{'' if loaded == NOTHING else loaded + ' '}v{max(asked)}?{rest}"


def _stands(status: GroupStatus, version: int, environment: str) -> str:
    slot, stand = status.approved.get(environment), _stand(status, str(version), environment)
    if slot and slot.version == version:
        return f"{IN_USE}, {WORDS[State.PENDING]}" if _is_asked(stand) else IN_USE
    return WORDS[stand.state] if stand else NOTHING


def _stand(status: GroupStatus, version: str, environment: str) -> Stand | None:
    row = status.versions.get(version)
    return row.environments.get(environment) if row else None


def _is_asked(stand: Stand | None) -> bool:
    return stand is not None and stand.state is State.PENDING
