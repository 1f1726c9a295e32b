"""The card, drawn once: neutral text that every surface turns into its own. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.codec import to_json
from bot.domain import Act, Answer, ChatUser, RequestId, State
from bot.encoding import encode, sha256
from bot.entries import Entry, Expiry, Hand, Measured, Observed, Opened, Restored, Revoked, Superseded, Vote
from bot.evidence import Evidence, Metric, Run
from bot.history import Round, VersionState
from bot.line import Code, Line, Link, Mention, Moment, Part, Strong, plain
from bot.measure import Measure
from bot.members import Contact, Person

MENTIONED = 10
"""People who are addressed in one line; the others are counted."""
ROWS = 6
"""Metrics on a card; the rest is in the report."""
KEPT = 12
"""Metrics that are remembered of a champion."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be pressed below a line of a thread: something to do with the approval of a request."""

    act: Act
    request: RequestId

    @property
    def words(self) -> str:
        """What the button says; it asks for a reason."""
        if self.act is Act.RESTORE:
            return f"Restore v{self.request.version}…"
        return f"Revoke for {self.request.environment}…"


class Mark(StrEnum):
    """The sign beside an environment or a line; every surface has its own picture and word for it."""

    DONE = "approved"
    ASKED = "pending"
    LATER = "not asked yet"
    NO = "rejected"
    OVER = "over"
    THREAD = "history"


@dataclass(frozen=True, slots=True)
class Step:
    """One environment of the path."""

    environment: str
    mark: Mark
    here: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A metric: challenger, champion, and the change in words."""

    name: str
    challenger: str
    champion: str
    change: str


@dataclass(frozen=True, slots=True)
class Table:
    """The metrics; `champion` is empty when the environment runs nothing yet, `more` is for pages and threads."""

    challenger: str
    champion: str
    rows: tuple[Row, ...]
    more: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A promotion request, as everybody sees it: `open` while it may be answered, `stands` while it may be revoked."""

    request: RequestId
    title: str
    summary: str
    path: tuple[Step, ...]
    table: Table | None
    facts: tuple[Line, ...]
    verdict: Line
    mark: Mark
    history: Line
    open: bool
    consequence: str
    package_arn: str
    report_uri: str
    stands: bool = False

    @property
    def notes(self) -> tuple[Line, ...]:
        """The facts, for who shows no more rows of the table than a chat has room for."""
        more = len(self.table.more) if self.table else 0
        left: Line = (f"{more} more metric{'s' if more > 1 else ''} on the page of this request.",)
        return (*self.facts, left) if more else self.facts

    @property
    def digest(self) -> str:
        """Changes exactly when what is shown changes."""
        return sha256(encode([to_json(self), *([_typed(line) for line in (*self.facts, self.verdict, self.history)])]))


def card_of(state: VersionState, one: Round) -> Card:
    """Draw a round as its own entries tell it: later steps of other environments do not repaint it."""
    view = state.until(max(entry.seq for entry in (one.opened_entry, *one.votes, one.ending) if entry))
    opened, request = one.opened, one.id
    name = f"{request.group} v{request.version}"
    table = _table(opened, request.version)
    is_open = one.state is State.PENDING
    return Card(
        request=request,
        title=f"Approve {name} for {request.environment}?"
        if is_open
        else f"{name} {_STATE_TITLE[one.state]} {request.environment}",
        summary=_summary(one, table),
        path=tuple(_step(view, environment, request) for environment in opened.path),
        table=table,
        facts=tuple(_facts(opened, request.version)),
        verdict=_verdict(one),
        mark=_MARK[one.state],
        history=_history(view, one),
        open=is_open,
        consequence=_consequence(opened, request),
        package_arn=opened.arn,
        report_uri=opened.evidence.uri,
        stands=one.state is State.APPROVED,
    )


def told(state: VersionState, entry: Entry) -> Line:
    """One step of the history, as the thread says it."""
    model = str(state.model)
    match entry.event:
        case Opened(environment=environment, evidence=Evidence(run=Run(where, name))):
            return (f"{model} was measured in {where} by ", Code(name), " and asks for ", Strong(environment), ".")
        case Opened(environment=environment):
            return (f"{model} asks for ", Strong(environment), ".")
        case Measured(environment, name, problem):
            return (
                f"{model} was run in {environment} by ",
                Code(name),
                f", and nothing is asked for: {problem}. The next good run asks.",
            )
        case Vote() as vote:
            return _told_vote(state, entry, vote)
        case Superseded(environment, _, by):
            return (f"{model} is no longer asked about for {environment}: v{by} was approved.",)
        case Expiry(environment):
            return (f"Nobody answered in time: the request of {model} for {environment} has expired.",)
        case Revoked() as revoked:
            return (
                Mention(revoked.by.name, revoked.via),
                f" revoked {model} for {revoked.environment}: ",
                revoked.reason,
            )
        case Restored() as restored:
            return (
                Mention(restored.by.name, restored.via),
                f" took back that {model} was rejected by hand; what was approved stands as before: ",
                restored.reason,
            )
        case Observed() as observed:
            return _told_observed(model, observed)
    return (f"Entry {entry.seq} is of a kind this version of the bot does not know.",)


def offers(state: VersionState, entry: Entry) -> tuple[Offer, ...]:
    """What approvers can do about a rejection by hand of what they have approved: whoever approved furthest decides."""
    if not isinstance(entry.event, Observed) or entry.event.action not in (Hand.BRAKE, Hand.STOP):
        return ()
    one = state.until(entry.seq).furthest
    return tuple(Offer(act, one.id) for act in (Act.RESTORE, Act.REVOKE)) if one else ()


def further(entry: Entry, version: int) -> Line:
    """What the card of a request has no room for, in the thread."""
    table = _table(entry.event, version) if isinstance(entry.event, Opened) else None
    rows = table.more if table else ()
    told = (f"{row.name} {row.challenger}{f' ({row.change})' if row.change else ''}" for row in rows)
    return (f" Further metrics: {', '.join(told)}.",) if rows else ()


def who_ended(one: Round) -> Line:
    """How a round ended and by whom, without the time."""
    event = one.ending.event if one.ending else None
    match event:
        case Vote(answer=Answer.REJECT) as vote:
            return (
                "Rejected by ",
                *_people([vote.by], [vote.via]),
                f": {vote.reason}" if vote.reason else "",
            )
        case Vote():
            approvals = one.approvals
            return (
                "Approved by ",
                *_people([vote.by for vote in approvals], [vote.via for vote in approvals]),
            )
        case Superseded(by=by):
            return (f"Superseded by v{by}",)
        case Opened(round=number):
            return (f"Replaced by round {number}, because the model package changed",)
        case Expiry():
            return ("Expired: nobody answered in time",)
        case Revoked() as revoked if one.state is State.ENDED:
            return (
                f"Ended, because {revoked.environment} was revoked by ",
                Mention(revoked.by.name, revoked.via),
            )
        case Revoked() as revoked:
            return ("Revoked by ", Mention(revoked.by.name, revoked.via), f": {revoked.reason}")
        case Observed(by=by):
            return (f"Rejected in the registry by {by}",)
    return ()


def addressed(people: Sequence[Contact], line: Line, mention: Callable[[Contact], Mention]) -> Line:
    """A line that begins with the people it is for, as a surface mentions them."""
    named: list[Part] = [part for each in people[:MENTIONED] for part in (", ", mention(each))]
    more = len(people) - MENTIONED
    names = (*named[1:], *([f" and {more} more"] if more > 0 else []), ": ")
    return (*names, *line) if people else line


def compare(challenger: Metric, champion: Metric | None, better: str = "") -> str:
    """The change in words: the arrow is the direction, the word is the verdict.

    `better` is what the policy says of the metric, `higher` or `lower`; without it the usual names are known.
    """
    if champion is None or champion.unit != challenger.unit:
        return "new"
    delta, scale = challenger.value - champion.value, max(abs(challenger.value), abs(champion.value))
    if abs(delta) < _NOTICED * (scale if scale < _SMALL else 1) or not delta:
        return "no change"
    arrow = "▲" if delta > 0 else "▼"
    size = f"{arrow} {_figures(abs(delta), scale)} {challenger.unit}".strip()
    noise = max(challenger.deviation or 0.0, champion.deviation or 0.0)
    if abs(delta) <= noise:
        return f"{size} no clear change"
    direction = _BETTER.get(better) or _direction(challenger.name)
    return f"{size} {'better' if (delta > 0) == (direction > 0) else 'worse'}" if direction else size


_STATE_TITLE = {
    State.APPROVED: "is approved for",
    State.REJECTED: "was rejected for",
    State.EXPIRED: "was not answered in time for",
    State.SUPERSEDED: "is no longer asked about for",
    State.ENDED: "is no longer asked about for",
    State.REVOKED: "was revoked for",
}
_MARK = {
    State.PENDING: Mark.ASKED,
    State.APPROVED: Mark.DONE,
    State.REJECTED: Mark.NO,
    State.REVOKED: Mark.NO,
    State.EXPIRED: Mark.OVER,
    State.SUPERSEDED: Mark.OVER,
    State.ENDED: Mark.OVER,
}
_SMALL, _NOTICED = 0.1, 0.0005
"""Below this, values are shown with three digits; by how much they have to differ, in terms of their size."""
_DIGITS = ((10, ".3f"), (1000, ".4g"), (1e15, ",.0f"))
_ACRONYMS = frozenset({"auc", "f1", "f2", "mae", "mape", "mse", "rmse", "r2"})
_HIGHER = re.compile(
    r"(?<![a-z0-9])(auc|accuracy|precision|recall|f1|f2|f0_5|r2|specificity|sensitivity|true_(positive|negative)_rate)"
    r"(?![a-z0-9])"
)
_LOWER = re.compile(
    r"(?<![a-z0-9])(loss|error|rmse|mae|mse|mape|latency|ms|false_(positive|negative)_rate|brier)(?![a-z0-9])"
)


_BETTER = {"higher": 1, "lower": -1}


def _direction(name: str) -> int:
    lower = name.lower()
    if _LOWER.search(lower):
        return -1
    return 1 if _HIGHER.search(lower) else 0


def shown_value(value: float, unit: str) -> str:
    """Three digits below a tenth, three decimals below ten, four digits below a thousand, whole numbers above."""
    return f"{_figures(value, abs(value))} {unit}".strip()


def _figures(value: float, scale: float) -> str:
    """A value with as many digits as help, beside others that are up to `scale` large."""
    if 0 < scale < _SMALL:
        return f"{value:.3g}"
    size = abs(value)
    return f"{value:{next((digits for below, digits in _DIGITS if size < below), '.4g')}}"


def _table(opened: Opened, version: int) -> Table | None:
    champion = {metric.name: metric for metric in opened.champion.metrics} if opened.champion else {}
    if not opened.evidence.metrics:
        return None
    rows = tuple(
        Row(
            metric_title(metric.name),
            shown_value(metric.value, metric.unit),
            shown_value(champion[metric.name].value, metric.unit) if metric.name in champion else "–",
            compare(metric, champion.get(metric.name), _better(opened, metric)) if opened.champion else "",
        )
        for metric in opened.evidence.metrics
    )
    head = f"v{opened.champion.version} in {opened.environment}" if opened.champion else ""
    kept = _fitting(rows)
    return Table(f"v{version}", head, tuple(rows[place] for place in kept), _without(rows, kept))


def _better(opened: Opened, metric: Metric) -> str:
    return next((each.better for each in opened.measures if each.says_of(metric)), "")


def _out_of_bounds(opened: Opened) -> Iterable[Line]:
    """What the policy wanted of the metrics and did not get; people decide what follows from it."""
    missed = [
        f"{metric_title(metric.name)} {shown_value(metric.value, metric.unit)} ({_bounds(each)})"
        for each in opened.measures
        for metric in opened.evidence.metrics
        if each.says_of(metric) and not each.kept_by(metric)
    ]
    if missed:
        yield (Strong("Outside the policy's bounds:"), " ", ", ".join(missed), ".")
    bound = [each for each in opened.measures if _bounds(each)]
    absent = [each.name for each in bound if not any(map(each.says_of, opened.evidence.metrics))]
    if absent:
        yield (Strong("Not measured, though the policy sets bounds:"), " ", ", ".join(map(metric_title, absent)), ".")


def _bounds(measure: Measure) -> str:
    least = "" if measure.at_least is None else f"at least {measure.at_least:g}"
    most = "" if measure.at_most is None else f"at most {measure.at_most:g}"
    return " and ".join(filter(None, (least, most)))


def _fitting(rows: tuple[Row, ...]) -> list[int]:
    """The places of six rows, in the report's order; what got worse is the last to be left out."""
    return sorted(sorted(range(len(rows)), key=lambda place: (not rows[place].change.endswith("worse"), place))[:ROWS])


def _without(rows: tuple[Row, ...], kept: Sequence[int]) -> tuple[Row, ...]:
    return tuple(row for place, row in enumerate(rows) if place not in kept)


def metric_title(name: str) -> str:
    """A metric's name as people write it: `auc` is AUC, `log_loss` is log loss."""
    words = name.replace("_", " ").split()
    return " ".join(word.upper() if word in _ACRONYMS else word for word in words)


def _summary(one: Round, table: Table | None) -> str:
    name = f"{one.id.group} version {one.id.version}"
    if one.state is not State.PENDING:
        return f"{name}, {one.id.environment}: {plain(who_ended(one))}."
    rows = table.rows[:3] if table else ()
    numbers = ", ".join(f"{row.name} {row.challenger}{f' ({row.change})' if row.change else ''}" for row in rows)
    asks = f"{name} awaits approval for {one.id.environment}."
    return " ".join(filter(None, (asks, numbers and f"{numbers}.", "Open to approve or reject.")))


def _facts(opened: Opened, version: int) -> Iterable[Line]:
    requester = opened.requester
    first: Line = ("Requested by ", Strong(requester.name)) if requester.name else ("Requester unknown",)
    if requester.declared:
        first = (*first, " (as its pipeline says)")
    if opened.commit:
        short = opened.commit[:7]
        first = (*first, " · commit ", Link(short, opened.commit_url) if opened.commit_url else Code(short))
    yield first
    if run := opened.evidence.run:
        told = "" if opened.evidence.uri or not opened.evidence.metrics else " · as reported, not read from storage"
        when: Line = (" · ", Moment(run.at)) if run.at else ()
        yield (f"Measured in {run.environment} by ", Code(run.name), *when, told)
    if opened.four_eyes and not requester.oid and opened.unknown_requester == "allow":
        yield ("Four eyes are wanted, but the requester is not known in the directory: nobody is excluded.",)
    if opened.four_eyes and requester.oid and requester.declared:
        yield ("Four eyes are wanted, and only the pipeline says who asked: nobody else is excluded.",)
    if opened.champion and opened.champion.version > version:
        yield (Strong(f"Replaces the newer v{opened.champion.version}."),)
    yield from _out_of_bounds(opened)
    yield from _violations(opened.evidence)
    if opened.evidence.problem:
        yield (opened.evidence.problem,)
    if not all(each.pinned for each in opened.containers):
        yield ("Not pinned: AWS gives no digest for the image or the model data.",)


def _violations(evidence: Evidence) -> Iterable[Line]:
    """What monitoring found: data that drifted, a bias that grew."""
    if found := evidence.violations:
        count, rest = len(found) + evidence.more_violations, evidence.more_violations
        head = "1 constraint is violated:" if count == 1 else f"{count} constraints are violated:"
        yield (Strong(head), " ", ", ".join(found), f" and {rest} more." if rest else ".")


def _consequence(opened: Opened, request: RequestId) -> str:
    says = f"{request.group} v{request.version} becomes the model that {request.environment} loads."
    if opened.champion is None:
        return says
    if opened.champion.version > request.version:
        return f"{says} It replaces the newer v{opened.champion.version}."
    return f"{says} Version {opened.champion.version} stays available for rollback."


def _step(view: VersionState, environment: str, request: RequestId) -> Step:
    one = view.current(environment)
    mark = Mark.DONE if view.standing(environment) else _MARK[one.state] if one else Mark.LATER
    if environment == request.environment and (ours := view.round(request)):
        mark = _MARK[ours.state]
    return Step(environment, mark, environment == request.environment)


def _verdict(one: Round) -> Line:
    if one.ending:
        tail = (
            f" · {one.id.environment} loads v{one.id.version} from its next run" if one.state is State.APPROVED else ""
        )
        return (*who_ended(one), " · ", Moment(one.ending.at), tail)
    if one.votes:
        approvals = one.approvals
        people = _people([vote.by for vote in approvals], [vote.via for vote in approvals])
        return (f"{len(approvals)} of {one.required} approvals: ", *people)
    name = one.opened.approvers_name
    line: Line = ("Waits for members of ", Strong(name)) if name else ("Waits for its approvers",)
    return (*line, f" · needs {one.required} approvals") if one.required > 1 else line


def _history(view: VersionState, one: Round) -> Line:
    line: list[Part] = ["Asked ", Moment(one.opened_entry.at)]
    for environment in one.opened.path:
        if environment == one.id.environment:
            break
        if (earlier := view.standing(environment)) and earlier.approval:
            people = _people([vote.by for vote in earlier.approvals], [vote.via for vote in earlier.approvals])
            line += [f" · {environment} approved by ", *people, " ", Moment(earlier.approval.at)]
    return tuple(line)


def _people(people: Iterable[Person], via: Iterable[ChatUser]) -> Line:
    line: list[Part] = []
    for person, user in zip(people, via, strict=True):
        line += [", ", Mention(person.name, user)]
    return tuple(line[1:])


def _told_vote(state: VersionState, entry: Entry, vote: Vote) -> Line:
    view = state.until(entry.seq)
    one = view.round(view.request(vote.environment, vote.round))
    who = Mention(vote.by.name, vote.via)
    if vote.answer is Answer.REJECT:
        return (who, f" rejected {state.model} for {vote.environment}: ", vote.reason)
    line: Line = (who, f" approved {state.model} for ", Strong(vote.environment))
    if one and one.state is State.PENDING:
        return (*line, f" ({len(one.approvals)} of {one.required}).")
    return (*line, ".")


def _told_observed(model: str, observed: Observed) -> Line:
    if observed.action is Hand.REPOINTED:
        return (
            f"{observed.by or 'Somebody'} changed the approved model of ",
            Strong(observed.environment),
            f" in Parameter Store by hand: it was {observed.what}. It was put back; only answers here change it.",
        )
    line: Line = (
        observed.by or "Somebody",
        f" {observed.what} {model} in the registry by hand, without an answer here. ",
    )
    match observed.action:
        case Hand.PUT_BACK:
            return (*line, "It was put back; please answer on the card.")
        case Hand.STOP:
            return (*line, "It counts as a stop: the pending request is rejected.")
        case Hand.RELEASE:
            return (*line, "That takes the earlier rejection by hand back; what was approved here stands as before.")
        case Hand.BRAKE:
            return (
                *line,
                "It is not put back. What the environments load has not changed; approvers may restore or revoke it.",
            )
    return (*line, "It was put back twice before and is now left as it is: please look into it.")


def _typed(line: Line) -> list[object]:
    return [[type(part).__name__, to_json(part)] for part in line]
