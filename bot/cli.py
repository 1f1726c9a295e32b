"""`model-approvals`: what is approved, how things stand, who said what, whether that holds; a sweep by hand.

It decides nothing.

What needs a person (`request`, `adopt`, `revoke`, `restore`) is done on our pages, after a sign-in.
"""

import argparse
import json
import os
import sys
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot import report, wiring
from bot.approved import ApprovedModel
from bot.audit import approved_then
from bot.codec import to_json
from bot.doctor import checkup
from bot.domain import GROUP, Act, ModelVersion, moment, rfc3339
from bot.errors import ApprovalError, UnknownRequest
from bot.history import VersionState
from bot.library import approved_model
from bot.line import plain
from bot.links import acting_page, asking_page

OK, FAILED, NOTHING, BROKEN = 0, 1, 3, 4
BAR = 20
"""Letters of a progress bar."""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run one command; 0 when it answered, 3 when nothing is approved, 4 when the history does not hold, else 1."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked, environment))
    except ApprovalError as error:
        print(f"model-approvals: {error}", file=sys.stderr)
        return NOTHING if type(error).__name__ == "NotApproved" else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="model-approvals", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    approved = _command(commands, "approved", _approved, "the model approved for an environment")
    approved.add_argument("group", metavar="GROUP", type=_group)
    approved.add_argument("environment", metavar="ENV")
    status = _command(commands, "status", _status, "how requests stand")
    status.add_argument("group", metavar="GROUP", type=_group, nargs="?")
    status.add_argument("version", metavar="VERSION", type=_version, nargs="?")
    history = _command(commands, "history", _history, "who said what, when")
    history.add_argument("group", metavar="GROUP", type=_group)
    history.add_argument("version", metavar="VERSION", type=_version, nargs="?")
    history.add_argument("--format", choices=("text", "json", "csv"), default="text")
    who = _command(commands, "who", _who, "who may answer a request, and whether somebody may")
    _about(who, environment=True)
    who.add_argument(
        "--person", metavar="ADDRESS", action="append", default=[], help="of the company; as many as wanted"
    )
    verify = _command(commands, "verify", _verify, "whether the history holds: chain, order, decisions, its end")
    verify.add_argument("group", metavar="GROUP", type=_group, nargs="?")
    export = _command(commands, "export", _export, "every entry of the history, or what was approved at a time")
    export.add_argument("group", metavar="GROUP", type=_group, nargs="?", help="all groups without it")
    export.add_argument("--since", metavar="TIME", type=_time, help="2026-11-24, or 2026-11-24T09:00:00Z")
    export.add_argument("--until", metavar="TIME", type=_time, help="entries before that time")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("--approved", metavar="ENV", help="only what was approved for this environment")
    export.add_argument("--at", metavar="TIME", type=_time, help="with --approved: at that time, instead of now")
    request = _command(commands, "request", _request, "the page on which a promotion is requested, in the browser")
    _about(request, environment=True)
    adopt = _command(commands, "adopt", _adopt, "the page on which an existing version is taken in, in the browser")
    _about(adopt)
    revoke = _command(commands, "revoke", _revoke, "the page on which an approval is taken back, in the browser")
    _about(revoke, environment=True)
    restore = _command(commands, "restore", _restore, "the page on which a rejection by hand is taken back")
    _about(restore)
    for each in (request, adopt, revoke, restore):
        each.add_argument("--no-browser", action="store_true", help="only print its address")
    sweep = _command(commands, "sweep", _sweep, "put missed and lost work on the queues again")
    sweep.add_argument(
        "--all", action="store_true", help="every version since the policy's `since`, and every one with a history"
    )
    _command(
        commands,
        "doctor",
        _doctor,
        "what is missing or wrong: settings, rights, tokens, groups, channels, queues, keys",
    )
    return parser


def _about(command: argparse.ArgumentParser, *, environment: bool = False) -> None:
    command.add_argument("group", metavar="GROUP", type=_group)
    command.add_argument("version", metavar="VERSION", type=_version)
    if environment:
        command.add_argument("environment", metavar="ENV")


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"Show {text}.")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=run)
    return command


def _approved(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    found = approved_model(asked.group, asked.environment, settings=environment)
    print(found.encoded() if asked.json else _approved_text(found))
    return OK


def _approved_text(found: ApprovedModel) -> str:
    names = ", ".join(person.name for person in found.approved_by)
    rows = [
        ("model", f"{found.model_package_group_name} v{found.model_package_version}"),
        ("environment", found.environment),
        ("package", found.model_package_arn or ""),
        ("model data", found.model_data_url or "-"),
        ("image", found.image_uri or "-"),
        ("approved", f"{found.approved_at:%Y-%m-%d %H:%M} UTC by {names}"),
        ("previous", f"v{found.previous}" if found.previous else "-"),
        ("history", found.history or ""),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)


def _status(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    records, policy = wiring.records(environment), wiring.policy(environment)
    groups = [asked.group] if asked.group else list(records.groups())
    statuses = records.statuses(groups)
    if asked.json:
        print(json.dumps([report.status_value(group, each, asked.version) for group, each in statuses.items()]))
    else:
        print(report.status_table(statuses, policy.path, asked.version))
    return OK


def _history(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    records = wiring.records(environment)
    versions = [asked.version] if asked.version else records.versions(asked.group)
    states = [records.look(ModelVersion(asked.group, version)).state for version in versions]
    rows = sorted((row for state in states for row in report.history_rows(state)), key=lambda row: row["at"])
    if asked.json or asked.format == "json":
        print(json.dumps(rows))
    elif asked.format == "csv":
        print(report.as_csv(rows), end="")
    else:
        print(report.timeline(rows))
    return OK


def _who(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Ask the same guards as an answer would; the one writer asks them again."""
    desk = wiring.desk(environment)
    card = desk.current(ModelVersion(asked.group, asked.version), asked.environment)
    found = {each: desk.why_not(card.request, each) for each in asked.person}
    if asked.json:
        print(json.dumps({"request": str(card.request), "stands": plain(card.verdict), "may_not": found}))
        return OK
    print(f"{card.request}: {plain(card.verdict)}")
    for address, why in found.items():
        print(f"{address}: {why or 'may answer.'}")
    return OK


def _verify(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    records, audit = wiring.records(environment), wiring.audit(environment)
    groups = [asked.group] if asked.group else list(records.every_group())
    found = [audit.verify(group) for group in _watched(groups, "groups verified")]
    if asked.group and not found[0].versions and not found[0].findings:
        raise UnknownRequest(
            f"Nothing is recorded of {asked.group}. Check its name; `status` lists those that are known."
        )
    if asked.json:
        print(json.dumps([to_json(each) for each in found]))
    else:
        print(report.verified(found))
    return BROKEN if any(each.findings for each in found) else OK


def _export(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    records = wiring.records(environment)
    groups = [asked.group] if asked.group else list(records.every_group())
    if asked.at and not asked.approved:
        raise UnknownRequest("--at says when something was approved; name the environment: --approved prod.")
    if asked.approved and (asked.since or asked.until):
        raise UnknownRequest("--approved is about one moment: --at. --since and --until are about entries.")
    for position, group in enumerate(_watched(groups, "groups exported")):
        states = [records.look(ModelVersion(group, version)).state for version in records.versions(group)]
        columns: Sequence[str] = report.APPROVAL if asked.approved else report.COLUMNS
        if asked.approved:
            model = approved_then(states, asked.approved, asked.at or datetime.now(UTC), records.names)
            rows = [report.approval_row(model)] if model else []
        else:
            rows = [row for state in states for row in _rows(state, asked)]
        if asked.format == "csv" and not asked.json:
            print(report.as_csv(rows, columns, head=position == 0), end="")
        else:
            print("".join(f"{json.dumps(row)}\n" for row in rows), end="")
    return OK


def _rows(state: VersionState, asked: argparse.Namespace) -> list[dict[str, Any]]:
    csv = asked.format == "csv" and not asked.json
    rows = report.history_rows(state) if csv else report.entry_values(state)
    since, until = (rfc3339(each) if each else "" for each in (asked.since, asked.until))
    return [row for row in rows if since <= row["at"] and (not until or row["at"] < until)]


def _watched(items: Sequence[str], what: str) -> Iterator[str]:
    """One after the other, with a line that counts them where a person watches."""
    for done, item in enumerate(items):
        _progress(done, len(items), f"{what}: {item}")
        yield item
    _progress(0, 0, "")


def _progress(done: int, of: int, what: str) -> None:
    """A bar where a person watches, written over the last one; without words it goes."""
    if not sys.stderr.isatty():
        return
    filled = BAR * done // of if of else 0
    bar = f"[{'#' * filled}{'.' * (BAR - filled)}] {done} of {of}" if of else str(done)
    print(f"\r{f'{bar} {what}' if what else ''}\x1b[K", end="", file=sys.stderr, flush=True)


def _request(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Decide nothing here: whoever holds rights in AWS is not therefore a person of the directory."""
    pages, policy = wiring.pages_url(environment), wiring.policy(environment)
    model = ModelVersion(asked.group, asked.version)
    if policy.environment(asked.environment, asked.group) is None or not policy.governs_group(asked.group):
        raise UnknownRequest(
            f"The policy knows no environment {asked.environment} for {asked.group}; it has {', '.join(policy.path)}."
        )
    return _open(asking_page(pages, model, asked.environment), asked)


def _adopt(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Likewise; a version from before the policy's `since` is taken in by asking the first approvers."""
    pages, policy, model = (
        wiring.pages_url(environment),
        wiring.policy(environment),
        ModelVersion(asked.group, asked.version),
    )
    if wiring.records(environment).look(model).state.head:
        raise UnknownRequest(f"{model} has a history here already; ask for an environment with `request`.")
    package = wiring.registry(environment).describe(model)
    why = policy.why_not(package, taken_in=True) if package else "it is not in the registry"
    if why:
        raise UnknownRequest(f"{model} cannot be taken in: {why}.")
    return _open(asking_page(pages, model, policy.path[0]), asked)


def _revoke(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Likewise; the approval in question is the one that stands."""
    pages, model = wiring.pages_url(environment), ModelVersion(asked.group, asked.version)
    one = wiring.records(environment).look(model).state.standing(asked.environment)
    if one is None:
        raise UnknownRequest(f"No approval of {model} stands for {asked.environment}; there is nothing to take back.")
    return _open(acting_page(pages, Act.REVOKE, one.id), asked)


def _restore(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Likewise; the approval that stands furthest says who may."""
    pages, model = wiring.pages_url(environment), ModelVersion(asked.group, asked.version)
    state = wiring.records(environment).look(model).state
    if not state.braked or state.furthest is None:
        raise UnknownRequest(f"No rejection by hand stands of {model} where it was approved; nothing can be restored.")
    return _open(acting_page(pages, Act.RESTORE, state.furthest.id), asked)


def _open(url: str, asked: argparse.Namespace) -> int:
    print(json.dumps({"url": url}) if asked.json else url)
    if not asked.no_browser and not asked.json:
        webbrowser.open(url)
    return OK


def _sweep(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    swept = wiring.sweep(environment)(everything=asked.all, told=_progress)
    _progress(0, 0, "")
    if asked.json:
        print(json.dumps({"opened": swept.opened, "checked": swept.checked}))
    else:
        print(f"{swept.opened} missed registrations and {swept.checked} requests in hand were put on the queues.")
    return OK


def _doctor(asked: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Everything is looked at, one after the other, and said as soon as it is known."""
    found = []
    for finding in checkup(environment):
        found.append(finding)
        if not asked.json:
            print(
                f"{'wrong' if finding.problem else 'good '}  {finding.name}{finding.problem and ': ' + finding.problem}"
            )
    if asked.json:
        print(json.dumps([to_json(each) for each in found]))
    return FAILED if any(each.problem for each in found) else OK


def _group(text: str) -> str:
    if not GROUP.fullmatch(text):
        message = f"{text!r} is not the name of a model package group"
        raise argparse.ArgumentTypeError(message)
    return text


def _time(text: str) -> datetime:
    try:
        return moment(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        message = f"{text!r} is not a day or time such as 2026-11-24 or 2026-11-24T09:00:00Z"
        raise argparse.ArgumentTypeError(message) from None


def _version(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        message = f"{text!r} is not a version number such as 7"
        raise argparse.ArgumentTypeError(message)
    return int(text)
