"""`policy.toml` read whole: every mistake is reported at once, named by its key; nothing is ignored."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bot.domain import ENVIRONMENT, ModelVersion, moment
from bot.encoding import sha256
from bot.errors import Malformed, SettingsError
from bot.measure import Measure

if TYPE_CHECKING:
    from bot.evidence import Evidence, Metric
    from bot.package import Package

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TEAMS_CHANNEL = re.compile(r"19:[A-Za-z0-9_.-]{5,200}@thread\.(tacv2|skype)")
SLACK_CHANNEL = re.compile(r"[CG][A-Z0-9]{5,20}")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"(?=[^@]{{1,64}}@[^@]{{1,255}}\Z){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
"""An address of the plain kind (RFC 5322, dot-atom): nothing in it means anything to a mail's header."""
KEPT = 20
"""Metrics of a request: a history entry has 4,096 bytes."""
MOST_ADDRESSES = 10
MOST_APPROVALS = 20
MOST_BOUNDS = 10
ACCOUNT = re.compile(r"[0-9]{12}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]{1,512}")
EXTERNAL_ID = re.compile(r"[a-zA-Z0-9+=,.@:/_-]{2,1224}")
REGION = re.compile(r"[a-z]{2}(-[a-z]{2,10}){1,2}-[0-9]{1,2}")
DAYS = {"d": 86400, "h": 3600, "m": 60}


Origin = tuple[str, str]
"""An account and a region."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment is: with the registry, or in another account (reached by a role) or region."""

    role_arn: str = ""
    external_id: str = ""
    region: str = ""

    def origin(self, account: str, region: str) -> Origin:
        """Its account and region, given those of the registry."""
        return (self.role_arn.split(":")[4] if self.role_arn else account, self.region or region)

    @property
    def name(self) -> str:
        """Account and region, as far as they are not the registry's; nothing where both are."""
        return "/".join(self.origin("", "")).strip("/")


HOME = Place()
"""With the registry."""


@dataclass(frozen=True, slots=True)
class EnvironmentPolicy:
    """The rules of one environment, in promotion order."""

    name: str
    approvers: str
    approvers_name: str
    notify: Mapping[str, str]
    required: int = 1
    four_eyes: bool = False
    unknown_requester: str = "allow"
    distinct_from_previous: bool = False
    identity: str = "email"
    expires_after: timedelta = timedelta(days=14)
    request_after: str = "approval"
    metrics_required: bool = False
    evidence: str = "any"
    remind_after: timedelta = timedelta(days=1)
    escalate_to: str = ""
    escalate_after: timedelta | None = None
    role_arn: str = ""
    external_id: str = ""
    region: str = ""

    @property
    def place(self) -> Place:
        """Where its approved models lie, and its inference runs."""
        return Place(self.role_arn, self.external_id, self.region)

    @property
    def who_may_answer(self) -> str:
        """The approver group in words, for refusals."""
        return f"members of {self.approvers_name}" if self.approvers_name else f"members of the group {self.approvers}"


@dataclass(frozen=True, slots=True)
class MetricsPolicy:
    """How metrics are read: which come first, patterns of those where more or less is better, bounds by name.

    `buckets` are patterns of those that reports may lie in, with the account that owns them; none: any of our own.
    """

    order: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    buckets: Mapping[str, str] = field(default_factory=dict)

    def ordered(self, metrics: "Iterable[Metric]") -> "tuple[Metric, ...]":
        """Those that the policy names, in its order, then those that have a bound, before the others in theirs."""
        return tuple(sorted(metrics, key=self._place))

    def kept(self, evidence: "Evidence") -> "Evidence":
        """The first metrics in that order, and how many are left out."""
        metrics = self.ordered(evidence.metrics)
        left = f"{len(metrics) - KEPT} further metrics were left out." if metrics[KEPT:] else ""
        problem = " ".join(filter(None, (evidence.problem, left)))
        return replace(evidence, metrics=metrics[:KEPT], problem=problem)

    def of(self, metrics: "Iterable[Metric]") -> tuple[Measure, ...]:
        """What is said of these metrics, and of those that have a bound, measured or not."""
        names = [*(each.name for each in metrics), *self.at_least, *self.at_most]
        known = {name.rpartition(".")[2]: None for name in names}
        found = (Measure(name, self._better(name), self.at_least.get(name), self.at_most.get(name)) for name in known)
        return tuple(each for each in found if each != Measure(each.name))

    def _place(self, metric: "Metric") -> int:
        names = (metric.name, metric.name.rpartition(".")[2])
        named = dict.fromkeys((*self.order, *self.at_least, *self.at_most))
        return next((place for place, name in enumerate(named) if name in names), len(named))

    def _better(self, name: str) -> str:
        if any(fnmatchcase(name, pattern) for pattern in self.higher):
            return "higher"
        return "lower" if any(fnmatchcase(name, pattern) for pattern in self.lower) else ""


@dataclass(frozen=True, slots=True)
class Override:
    """What is different for some groups, in one environment or (none named) in all."""

    groups: tuple[str, ...]
    environments: tuple[str, ...]
    changes: Mapping[str, Any]

    def means(self, environment: str, group: str) -> bool:
        """Whether it says something of an environment for a group."""
        named = not self.environments or environment in self.environments
        return named and any(fnmatchcase(group, pattern) for pattern in self.groups)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the bot governs, and who decides where."""

    groups: tuple[str, ...]
    since: datetime
    environments: tuple[EnvironmentPolicy, ...]
    sha256: str
    administrators: str = ""
    metrics: MetricsPolicy = MetricsPolicy()
    overrides: tuple[Override, ...] = ()

    @property
    def all_rules(self) -> tuple[EnvironmentPolicy, ...]:
        """The rules of every environment, and as every override has them."""
        changed = (
            replace(each, **override.changes)
            for override in self.overrides
            for each in self.environments
            if not override.environments or each.name in override.environments
        )
        return (*self.environments, *changed)

    @property
    def mails(self) -> bool:
        """Whether anybody is asked by e-mail."""
        return any("email" in each.notify for each in self.all_rules)

    @property
    def teams(self) -> bool:
        """Whether anybody is asked in Microsoft Teams."""
        return any("teams" in each.notify for each in self.all_rules)

    @property
    def signs_in(self) -> bool:
        """Whether answers need our pages: a mail's link, a link of an account, a sign-in."""
        return self.mails or any(each.identity != "email" for each in self.all_rules)

    @property
    def path(self) -> tuple[str, ...]:
        """The environments' names in promotion order."""
        return tuple(each.name for each in self.environments)

    def environment(self, name: str, group: str) -> EnvironmentPolicy | None:
        """The rules of an environment for a group, or nothing when the policy has none of that name.

        Of two overrides that say something of one key, the later one counts.
        """
        found = next((each for each in self.environments if each.name == name), None)
        for override in self.overrides if found else ():
            found = replace(found, **override.changes) if found and override.means(name, group) else found
        return found

    def place(self, environment: str, group: str) -> Place:
        """Where the models of a group that are approved for an environment lie."""
        found = self.environment(environment, group)
        return found.place if found else HOME

    @property
    def places(self) -> frozenset[Place]:
        """All of them, and the registry's own."""
        return frozenset({HOME, *(each.place for each in self.all_rules)})

    def governs_group(self, group: str) -> bool:
        """Whether the bot is responsible for versions of this group."""
        return any(fnmatchcase(group, pattern) for pattern in self.groups)

    def why_not(self, package: "Package", *, taken_in: bool = False) -> str:
        """Why a version is none of the bot's business, or nothing when it is.

        `taken_in`: it has a history here, or somebody asks for it by name, whenever it was registered.
        """
        if not self.governs_group(package.model.group):
            return f"the policy does not govern the group {package.model.group}"
        if not taken_in and (package.created_at is None or package.created_at < self.since):
            return "it was registered before the policy's since"
        if package.package_status != "Completed":
            return f"its status is {package.package_status}, not Completed"
        if package.registration == "Logged":
            return "it is only logged, not registered"
        return ""

    def governs(self, model: ModelVersion, created_at: datetime | None) -> bool:
        """A cheap guess from an event or a listing; `why_not` decides."""
        return self.governs_group(model.group) and created_at is not None and created_at >= self.since


def read_policy(text: str) -> Policy:
    """Validate `policy.toml`; raise `SettingsError` with every mistake."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise SettingsError([f"policy: not readable as TOML: {problem}"]) from problem
    reader = _Reader()
    top = reader.table("", raw, _TOP)
    names: list[str] = []
    environments = [
        _environment(reader, number, table, names) for number, table in enumerate(top["environments"] or [], start=1)
    ]
    metrics = MetricsPolicy(**reader.table("metrics", top["metrics"], _METRICS))
    overrides = tuple(_override(reader, number, each, names) for number, each in enumerate(top["overrides"], start=1))
    if reader.mistakes:
        raise SettingsError(reader.mistakes)
    whole = (tuple(top["groups"]), top["since"], tuple(environments), sha256(text), top["administrators"], metrics)
    return Policy(*whole, overrides)


def _environment(reader: "_Reader", number: int, table: Any, names: list[str]) -> EnvironmentPolicy:  # noqa: ANN401
    key = f"environments[{number}]"
    if not isinstance(table, Mapping):
        reader.mistakes.append(f"{key}: must be a table, [[environments]].")
        table = {}
    found = reader.table(key, table, _ENVIRONMENT)
    notify = reader.table(f"{key}.notify", found.pop("notify") or {}, _NOTIFY)
    if str(found["name"]).startswith("approval-"):
        reader.mistakes.append(f"{key}.name: {found['name']!r} would hide the bot's own metadata; choose another.")
    if found["name"] is not None and found["name"] in names:
        reader.mistakes.append(f"{key}.name: {found['name']!r} stands twice.")
    names.append(found["name"])
    told = {surface: address for surface, address in notify.items() if address}
    if not told and not any(mistake.startswith(f"{key}.notify") for mistake in reader.mistakes):
        reader.mistakes.append(f"{key}.notify: names nobody; give a channel of Slack or Teams, or e-mail addresses.")
    reader.mistakes += (*_escalating(key, found), *_placed(key, found))
    return EnvironmentPolicy(notify=told, **found)


def _escalating(key: str, found: Mapping[str, Any]) -> Iterable[str]:
    """What is said of escalation, and would never happen."""
    after = found["escalate_after"]
    if after and not found["escalate_to"]:
        yield f"{key}.escalate_after: says when, but not who is told; give escalate_to."
    elif after and after >= found["expires_after"]:
        yield f"{key}.escalate_after: is not before expires_after, so nobody would be told."


def _placed(key: str, found: Mapping[str, Any]) -> Iterable[str]:
    """A role of another account, and what keeps others from having us assume it, belong together.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    role, word = found.get("role_arn"), found.get("external_id")
    if role and not word:
        yield f"{key}.external_id: is missing; it is the one that the trust policy of role_arn asks for."
    elif word and not role:
        yield f"{key}.role_arn: is missing; external_id is of use with a role only."


def _override(reader: "_Reader", number: int, table: Any, names: list[str]) -> Override:  # noqa: ANN401
    key = f"overrides[{number}]"
    if not isinstance(table, Mapping):
        reader.mistakes.append(f"{key}: must be a table, [[overrides]].")
        table = {}
    found = reader.table(key, table, _OVERRIDE)
    groups, environments = found.pop("groups"), found.pop("environments")
    if unknown := [each for each in environments if each not in names]:
        reader.mistakes.append(f"{key}.environments: {unknown[0]!r} is none of {', '.join(map(str, names))}.")
    changes = {name: value for name, value in found.items() if value is not None}
    if "approvers" in changes:
        changes.setdefault("approvers_name", "")  # the name of other people would lead to them
    if (notify := changes.pop("notify", None)) is not None:
        told = reader.table(f"{key}.notify", notify, _NOTIFY)
        changes["notify"] = {surface: address for surface, address in told.items() if address}
        if not notify:
            reader.mistakes.append(f"{key}.notify: names nobody; leave it out, or give a channel or addresses.")
    reader.mistakes += _placed(key, changes)
    if not changes and not any(mistake.startswith(key) for mistake in reader.mistakes):
        reader.mistakes.append(f"{key}: changes nothing; give a key of [[environments]], such as required = 2.")
    return Override(tuple(groups), tuple(environments), changes)


class _Reader:
    """Collects the mistakes of all tables, so that a person mends them in one go."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def table(self, where: str, raw: Mapping[str, Any], keys: Mapping[str, "_Key"]) -> dict[str, Any]:
        """Read each key that may stand in a table; name those that may not."""
        at = f"{where}." if where else ""
        self.mistakes += [f"{at}{name}: no such key; known are {', '.join(keys)}." for name in raw if name not in keys]
        return {name: self._value(f"{at}{name}", raw, name, key) for name, key in keys.items()}

    def _value(self, where: str, raw: Mapping[str, Any], name: str, key: "_Key") -> Any:  # noqa: ANN401
        if name not in raw:
            if key.needed:
                self.mistakes.append(f"{where}: is missing; {key.wanted}.")
            return key.default
        try:
            value = key.read(raw[name])
        except (Malformed, ValueError, TypeError, AttributeError, OverflowError):
            self.mistakes.append(f"{where}: {raw[name]!r:.80} is not right; {key.wanted}.")
            return key.default
        return value


@dataclass(frozen=True, slots=True)
class _Key:
    """How one key is read, and the sentence that says what it should be."""

    read: Any
    wanted: str
    default: Any = None
    needed: bool = False


def _wrong() -> Malformed:
    return Malformed("not what the policy wants here")


def _matching(pattern: re.Pattern[str]) -> Any:  # noqa: ANN401
    def read(value: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _wrong()
        return value

    return read


def _one_of(*words: str) -> Any:  # noqa: ANN401
    def read(value: Any) -> str:  # noqa: ANN401
        if value not in words:
            raise _wrong()
        return str(value)

    return read


def _flag(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise _wrong()
    return value


def _count(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_APPROVALS:
        raise _wrong()
    return value


def _words(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise _wrong()
    return tuple(value)


def _addresses(value: Any) -> str:  # noqa: ANN401
    """Addresses, each once, as a mail's `To` has them."""
    words = dict.fromkeys(_words(value))
    if len(words) > MOST_ADDRESSES or not all(EMAIL.fullmatch(word) for word in words):
        raise _wrong()
    return ", ".join(words)


def _bounds(value: Any) -> Mapping[str, float]:  # noqa: ANN401
    found = {name: float(number) for name, number in _table(value).items() if not isinstance(number, bool | str)}
    if len(found) != len(value) or len(found) > MOST_BOUNDS or not all(map(math.isfinite, found.values())):
        raise _wrong()
    return found


def _owners(value: Any) -> Mapping[str, str]:  # noqa: ANN401
    found = dict(_table(value))
    if not found or not all(isinstance(owner, str) and ACCOUNT.fullmatch(owner) for owner in found.values()):
        raise _wrong()
    return found


def _tables(value: Any) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list) or not value:
        raise _wrong()
    return value


def _time(value: Any) -> datetime:  # noqa: ANN401
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _wrong()
        return value.astimezone(UTC)
    return moment(value)


def _duration(value: Any) -> timedelta:  # noqa: ANN401
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", value)
    if not found:
        raise _wrong()
    return timedelta(seconds=int(found[1]) * DAYS[found[2]])


def _reminding(value: Any) -> timedelta:  # noqa: ANN401
    return timedelta(0) if value == "never" else _duration(value)


def _table(value: Any) -> Mapping[str, Any]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise _wrong()
    return value


_TEXT = _matching(re.compile(r"[^\x00-\x1f]{1,120}"))
_TOP = {
    "groups": _Key(_words, 'patterns of model package groups, such as ["churn*"]', (), needed=True),
    "since": _Key(_time, "the time from which versions are governed, such as 2026-01-01T00:00:00Z", needed=True),
    "administrators": _Key(_matching(GUID), "the object id of an Entra group: who confirms links of accounts", ""),
    "metrics": _Key(_table, "a [metrics] table", {}),
    "environments": _Key(_tables, "one [[environments]] table for each, in promotion order", needed=True),
    "overrides": _Key(_tables, "[[overrides]] tables, each for some groups", ()),
}
_METRICS = {
    "order": _Key(_words, 'names of metrics, the most telling first, such as ["auc", "recall"]', ()),
    "higher": _Key(_words, 'patterns of metrics of which more is better, such as ["*_uplift"]', ()),
    "lower": _Key(_words, 'patterns of metrics of which less is better, such as ["*_cost"]', ()),
    "at_least": _Key(_bounds, "numbers by metric, such as { auc = 0.8 }, at most 10", {}),
    "at_most": _Key(_bounds, "numbers by metric, such as { log_loss = 0.5 }, at most 10", {}),
    "buckets": _Key(_owners, 'the owner\'s account by bucket, such as { "models-*" = "123456789012" }', {}),
}
_ENVIRONMENT = {
    "name": _Key(_matching(ENVIRONMENT), "lower-case letters, digits and single dashes, at most 31", needed=True),
    "approvers": _Key(_matching(GUID), "the object id of the approvers' Entra group", needed=True),
    "approvers_name": _Key(_TEXT, "the name of that group, as people know it", ""),
    "required": _Key(_count, "how many approvals decide, 1 to 20", 1),
    "four_eyes": _Key(_flag, "true or false", default=False),
    "unknown_requester": _Key(_one_of("allow", "refuse"), '"allow" or "refuse"', "allow"),
    "distinct_from_previous": _Key(_flag, "true or false", default=False),
    "identity": _Key(_one_of("email", "linked", "sign-in"), '"email", "linked" or "sign-in"', "email"),
    "request_after": _Key(_one_of("approval", "inference"), '"approval" or "inference"', "approval"),
    "metrics_required": _Key(_flag, "true or false", default=False),
    "evidence": _Key(_one_of("any", "stored"), '"any" or "stored"', "any"),
    "expires_after": _Key(_duration, 'a duration such as "14d"', timedelta(days=14)),
    "remind_after": _Key(_reminding, 'a duration such as "1d", or "never"', timedelta(days=1)),
    "escalate_to": _Key(_matching(GUID), "the object id of an Entra group: who is told when nobody answers", ""),
    "escalate_after": _Key(_duration, 'a duration such as "7d"; half of expires_after without'),
    "notify": _Key(_table, 'a table such as { slack = "C0123456789" }', needed=True),
    "role_arn": _Key(_matching(ROLE), "a role of the environment's account, arn:aws:iam::123456789012:role/…", ""),
    "external_id": _Key(_matching(EXTERNAL_ID), "the external id that the role's trust policy asks for", ""),
    "region": _Key(_matching(REGION), "an AWS region, such as eu-central-1", ""),
}
_OVERRIDE = {
    "groups": _Key(_words, 'patterns of model package groups, such as ["churn-eu-*"]', (), needed=True),
    "environments": _Key(_words, 'names of environments, such as ["prod"]; all of them without', ()),
    **{name: replace(key, default=None, needed=False) for name, key in _ENVIRONMENT.items() if name != "name"},
}
_NOTIFY = {
    "slack": _Key(_matching(SLACK_CHANNEL), "a Slack channel id such as C0123456789", ""),
    "teams": _Key(_matching(TEAMS_CHANNEL), 'a Teams channel id such as "19:…@thread.tacv2"', ""),
    "email": _Key(_addresses, 'one to ten e-mail addresses, such as ["approvers@example.com"]', ""),
}
