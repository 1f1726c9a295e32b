"""What the command line and other machines are told: history and status as plain values and as text."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.approved import ApprovedModel
from bot.audit import Verified
from bot.card import told
from bot.codec import to_json
from bot.domain import State, rfc3339
from bot.encoding import decode
from bot.entries import Entry
from bot.errors import Malformed
from bot.history import VersionState, kind_of
from bot.line import plain
from bot.overview import columns
from bot.status import GroupStatus

APPROVAL = ("group", "environment", "version", "approved_at", "approved_by", "package", "history")
COLUMNS = ("group", "version", "seq", "at", "kind", "environment", "round", "who", "what")


def history_rows(state: VersionState) -> list[dict[str, Any]]:
    """One row for each entry of a version's log."""
    return [
        {
            "group": state.model.group,
            "version": state.model.version,
            "seq": entry.seq,
            "at": rfc3339(entry.at),
            "kind": kind_of(entry.event),
            "environment": getattr(entry.event, "environment", ""),
            "round": getattr(entry.event, "round", 0) or "",
            "who": _who(entry.event),
            "what": plain(told(state, entry)),
        }
        for entry in state.entries
    ]


def entry_values(state: VersionState) -> list[dict[str, Any]]:
    """Every entry as it is stored, with what it is about; what is no JSON object stands as text."""
    model = {"model_package_group_name": state.model.group, "model_package_version": state.model.version}
    return [{**_stored(entry), **model, "seq": entry.seq, "at": rfc3339(entry.at)} for entry in state.entries]


def approval_row(model: ApprovedModel) -> dict[str, Any]:
    """What was approved, by whom and when, in the columns of `APPROVAL`."""
    return {
        "group": model.model_package_group_name,
        "environment": model.environment,
        "version": model.model_package_version,
        "approved_at": rfc3339(model.approved_at) if model.approved_at else "",
        "approved_by": ", ".join(person.name for person in model.approved_by),
        "package": model.model_package_arn,
        "history": model.history,
    }


def verified(groups: Sequence[Verified]) -> str:
    """What does not hold, a line each, and what was looked at."""
    lines = [str(each) for group in groups for each in group.findings]
    versions, entries, pointers = (
        sum(getattr(each, name) for each in groups) for name in ("versions", "entries", "pointers")
    )
    broken = len({each.model for group in groups for each in group.findings})
    verdict = f"{broken} versions do not hold." if broken else "All of it holds."
    looked = f"{len(groups)} groups, {versions} versions, {entries} entries, {pointers} approved models: {verdict}"
    return "\n".join([*lines, looked])


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS, *, head: bool = True) -> str:
    """Rows with a header line; a cell that a spreadsheet would take for a formula is quoted with an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if head:
        writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def timeline(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line for each step, oldest first."""
    if not rows:
        return "No history yet."
    return table(
        ("when (UTC)", "version", "environment", "what"),
        [(row["at"][:19].replace("T", " "), f"v{row['version']}", row["environment"], row["what"]) for row in rows],
    )


def status_value(group: str, status: GroupStatus, version: int | None = None) -> dict[str, Any]:
    """The status of a group as JSON; `version` narrows it to one."""
    found = to_json(status)
    versions = found.get("versions", {})
    if version is not None:
        versions = {key: row for key, row in versions.items() if key == str(version)}
    approved = {name: slot.version for name, slot in status.approved.items()}
    return {"group": group, "approved": approved, "versions": versions}


def status_table(statuses: Mapping[str, GroupStatus], path: Iterable[str], version: int | None = None) -> str:
    """A line for each version, those that wait for an answer first; environments that the policy lacks come last."""
    names = columns(statuses.values(), tuple(path))
    lines = []
    for group, status in statuses.items():
        for number, _ in sorted(status.versions.items(), key=lambda each: (not each[1].pending, -int(each[0]))):
            if version in (None, int(number)):
                stands = [_stand(status, int(number), name) for name in names]
                lines.append((group, f"v{number}", *stands))
    return table(("group", "version", *names), lines) if lines else "Nothing has been asked yet."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text, as wide as their widest cell; the last is left as it is."""
    lines = [tuple(header), *(tuple(map(_one_line, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    )


def _stored(entry: Entry) -> dict[str, Any]:
    try:
        value = decode(entry.raw)
    except Malformed:
        value = None
    return value if isinstance(value, dict) else {"raw": entry.raw}


def _stand(status: GroupStatus, version: int, environment: str) -> str:
    stand = status.versions[str(version)].environments.get(environment)
    if stand is None:
        return "-"
    slot = status.approved.get(environment)
    runs = stand.state is State.APPROVED and slot is not None and slot.version == version
    return f"{stand.state} (runs)" if runs else str(stand.state)


def _who(event: object) -> str:
    by = getattr(event, "by", "")
    requester = getattr(event, "requester", None)
    return getattr(by, "name", "") or (by if isinstance(by, str) else "") or getattr(requester, "name", "")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _inert(value: object) -> object:
    if not isinstance(value, str):
        return value
    line = _one_line(value)
    return f"'{line}" if line.lstrip().startswith(("=", "+", "-", "@")) else line
