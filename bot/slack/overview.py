"""The answers to `/model-status`: what waits first, then which version each environment loads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.card import Line, Mark, Moment, Strong
from bot.domain import State
from bot.people import Binding
from bot.slack.blocks import EMOJI, aligned, code_block
from bot.slack.mrkdwn import NOTHING, cut, drawn, mrkdwn, plain_text, safe
from bot.status import GroupStatus, Stand

Json = dict[str, Any]

COMMAND = "/model-status"
UNLINK = "unlink"
SECTION = 2900
"""Characters of one block; Slack takes 3,000."""
MATRICES = 3
"""Blocks of a table at most: with all else they stay below the 13,000 characters that a message may hold."""
HELP = (
    f"`{COMMAND}` shows what waits for an answer, and which version every environment of every group loads.\n"
    f"`{COMMAND} GROUP` shows the versions of one model package group.\n"
    f"`{COMMAND} {UNLINK}` ends the link between your account here and your company account.\n"
    "Answers are given on the cards in the channels, never here."
)
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


def overview(groups: Sequence[tuple[str, GroupStatus]], environments: Sequence[str] = ()) -> Json:
    """Every group: those with something waiting first; `environments` is the order of the columns."""
    if not groups:
        return private("No model version has been asked about yet.")
    waiting = sorted(_all_waiting(groups), key=lambda each: each.since)
    asked = {each.group for each in waiting}
    ordered = sorted(groups, key=lambda each: (each[0] not in asked, each[0]))
    columns = _columns((status for _, status in ordered), environments)
    rows = [[name, *(_loaded(status, column) for column in columns)] for name, status in ordered]
    says = f"{_counted(len(waiting), 'request waits', 'requests wait')} for an answer."
    more = f"and {{}} more of {_counted(len(groups), 'group', 'groups')}: `{COMMAND} GROUP`"
    legend = "v11 is what the environment loads, v12? waits for an answer there."
    return _answer(says, "Models by environment", waiting, [["group", *columns], *rows], more=more, legend=legend)


def group(name: str, status: GroupStatus, environments: Sequence[str] = ()) -> Json:
    """One group: its versions, newest first, and where each stands."""
    waiting = sorted(_all_waiting([(name, status)]), key=lambda each: each.since)
    columns = _columns([status], environments)
    loaded = {slot.version for slot in status.approved.values() if slot.version}
    versions = sorted({*map(int, status.versions), *loaded}, reverse=True)
    if not versions:
        return private(f"Nothing is recorded of {name} yet.")
    rows = [[f"v{each}", *(_stands(status, each, column) for column in columns)] for each in versions]
    says = f"{name}: {_counted(len(waiting), 'request waits', 'requests wait')} for an answer."
    legend = f"“{IN_USE}” is what the environment loads."
    return _answer(says, name, waiting, [["version", *columns], *rows], more="and {} older versions", legend=legend)


def unknown(name: str) -> Json:
    """For a group that has no status."""
    return private(f"No model package group {name} is known here. {COMMAND} shows those that are.")


def usage() -> Json:
    """What can be asked."""
    return {**private(HELP), "blocks": [_section(HELP)]}


def unlinked(binding: Binding | None) -> Json:
    """For somebody who asked that their account be nobody's any more."""
    if binding is None:
        return private("This account was not linked, so nothing has changed.")
    return private(
        f"This account is no longer linked to {binding.name}. "
        "Where a link is wanted, the buttons of a card show the way to a new one."
    )


def private(text: str) -> Json:
    """An answer in plain words that only the asking person sees."""
    return {"response_type": "ephemeral", "text": safe(text, SECTION)}


def _answer(
    says: str, title: str, waiting: Sequence[Waiting], table: list[list[str]], *, more: str, legend: str
) -> Json:
    matrices, left = _matrices(table)
    blocks: list[Json] = [{"type": "header", "text": plain_text(title, 150)}]
    blocks += [_section("\n".join(_listed(waiting)))] if waiting else []
    blocks += [code_block(matrix) for matrix in matrices]
    notes = [more.format(left)] if left else []
    notes += [legend]
    blocks += [{"type": "context", "elements": [mrkdwn(note) for note in notes]}]
    return {**private(says), "blocks": blocks}


def _section(text: str) -> Json:
    return {"type": "section", "text": mrkdwn(text)}


def _all_waiting(groups: Iterable[tuple[str, GroupStatus]]) -> Iterator[Waiting]:
    for name, status in groups:
        for version, row in status.versions.items():
            for environment, stand in row.environments.items():
                if stand.state is State.PENDING:
                    yield Waiting(stand.at, name, int(version), environment)


def _listed(waiting: Sequence[Waiting]) -> Iterator[str]:
    """As many lines as a section holds, the longest waiting first."""
    room = SECTION - 60
    for place, each in enumerate(waiting):
        line = f"{EMOJI[Mark.ASKED]} {drawn(each.line, team='', limit=400)}"
        room -= len(line) + 1
        if room < 0:
            yield f"and {_counted(len(waiting) - place, 'more request', 'more requests')}"
            return
        yield line


def _columns(statuses: Iterable[GroupStatus], environments: Sequence[str]) -> list[str]:
    """The policy's order; environments that it no longer has come last."""
    found: set[str] = set()
    for status in statuses:
        found |= {*status.approved, *(name for row in status.versions.values() for name in row.environments)}
    return [*environments, *sorted(found - set(environments))]


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


def _matrices(table: list[list[str]]) -> tuple[list[str], int]:
    """The aligned table in as many blocks as fit, each with the head; and how many rows are left out."""
    head, *lines = [cut(line, SECTION // 2) for line in aligned(table, right=False)]
    blocks = [head]
    for place, line in enumerate(lines):
        if len(blocks[-1]) + 1 + len(line) > SECTION:
            if len(blocks) == MATRICES:
                return blocks, len(lines) - place
            blocks.append(head)
        blocks[-1] += f"\n{line}"
    return blocks, 0


def _counted(number: int, one: str, many: str) -> str:
    return f"{number or 'no'} {one if number == 1 else many}"
