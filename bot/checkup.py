"""`model-approvals doctor`: whether settings, rights, tokens, groups and queues are as the bot needs them. Read only.

Each check is asked by itself, so that one mistake hides no other; what is wrong is said with what to do.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bot.errors import ApprovalError, SettingsError
from bot.policy import Policy
from bot.ports import Directory

CREDENTIAL = "Entra's credential"
"""The check that all others of the directory need."""
SLACK = "Slack's token"
"""The check that all others of Slack need."""
SCOPES = ("channels:read", "chat:write", "commands", "groups:read", "users:read", "users:read.email")
"""What the Slack app has to be granted; this command alone needs those of channels and groups (private channels)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `problem` is what is wrong with it and what to do, or nothing."""

    name: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at: `look` gives what is wrong, or nothing, or raises. `needs` is a check that comes first."""

    name: str
    look: Callable[[], str]
    needs: str = ""


def works(call: Callable[[], object]) -> Callable[[], str]:
    """A look at something that is well if it does not raise."""

    def look() -> str:
        call()
        return ""

    return look


def settings_findings(read: Iterable[tuple[str, Callable[[], object]]]) -> Iterator[Finding]:
    """What is wrong with the settings of each part; a mistake of one part hides none of another."""
    seen: set[str] = set()
    for name, each in read:
        try:
            each()
        except SettingsError as mistakes:
            fresh = [mistake for mistake in mistakes.mistakes if mistake not in seen]
            seen |= set(fresh)
            yield from (Finding(f"settings of {name}", mistake) for mistake in fresh)
        else:
            yield Finding(f"settings of {name}")


def carried_out(checks: Iterable[Check]) -> Iterator[Finding]:
    """Each check's finding; one that cannot be carried out says why, with what operators are told in the log."""
    wrong: set[str] = set()
    for check in checks:
        if check.needs in wrong:
            wrong |= {check.name}
            yield Finding(check.name, f"not looked at: first mend {check.needs}.")
            continue
        with _overheard() as told:
            try:
                problem = check.look()
            except ApprovalError as trouble:
                problem = " ".join([str(trouble), *dict.fromkeys(told)])
            except Exception as trouble:  # noqa: BLE001 - whatever a vendor's client raises is what is wrong
                problem = f"{type(trouble).__name__}: {trouble}"
        wrong |= {check.name} if problem else set()
        yield Finding(check.name, " ".join(problem.split()))


class _Listener(logging.Handler):
    """Keeps what operators are told."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.told.append(record.getMessage())


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """What the bot's own log says meanwhile."""
    listener, log = _Listener(), logging.getLogger("bot")
    log.addHandler(listener)
    try:
        yield listener.told
    finally:
        log.removeHandler(listener)


def group_checks(policy: Policy, directory: Directory, domains: Sequence[str]) -> Iterator[Check]:
    """Whether each group that the policy names is there, and has somebody who may answer."""
    wanted = {
        each.approvers: f"{each.name}: approvers {each.approvers_name or each.approvers}" for each in policy.all_rules
    }
    wanted |= {each.escalate_to: f"{each.name}: escalate_to" for each in policy.all_rules if each.escalate_to}
    wanted |= {policy.administrators: "administrators"} if policy.administrators else {}
    for group, name in wanted.items():
        yield Check(name, partial(_of_group, directory, group, domains), CREDENTIAL)


def _of_group(directory: Directory, group: str, domains: Sequence[str]) -> str:
    people = directory.within(group)
    if not people:
        return f"the group {group} is not there, or has no enabled member of the tenant. Correct its id, or add people."
    known = {each.lower() for each in domains}
    strange = [each for each in people if each.address.rpartition("@")[2].lower() not in known]
    if len(strange) == len(people):
        return (
            f"no member of the group {group} has an address of {', '.join(domains)}: no chat account is tied to one. "
            "Compare MODEL_APPROVALS_EMAIL_DOMAINS with the addresses of the directory."
        )
    return ""


def channel_checks(policy: Policy, surface: str, look: Callable[[str], str | None], *, needs: str) -> Iterator[Check]:
    """Whether the bot is in each channel that the policy notifies: `look` gives what is wrong or nothing, or raises."""
    channels: dict[str, list[str]] = {}
    for each in policy.all_rules:
        if channel := each.notify.get(surface):
            channels.setdefault(channel, []).append(each.name)
    for channel, names in channels.items():
        name = f"{', '.join(dict.fromkeys(names))}: notify.{surface} {channel}"
        yield Check(name, partial(_of_channel, look, channel), needs)


def _of_channel(look: Callable[[str], str | None], channel: str) -> str:
    return look(channel) or ""


def scopes_missing(granted: str) -> str:
    """What the Slack app was not granted, by the header that Slack answers with."""
    held = {each.strip() for each in granted.split(",")}
    missing = [each for each in SCOPES if each not in held]
    return f"the app lacks {', '.join(missing)}: add the scopes and install it again." if missing else ""
