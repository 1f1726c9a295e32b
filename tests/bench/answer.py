"""From a click to its decision, with the delays of a network between functions and services: ours and the baseline's.

Functions are warm. A click's chain of calls is what no bot with our promises can do side by side.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from infra.local.slack import Message
from infra.local.stack import Stack
from tests.bench.proxy import Proxy
from tests.bench.table import Ratio, Section
from tests.bench.world import DELAYS, Blog, Writes, network, press
from tests.journeys.counting import Counted, Meter, waves
from tests.journeys.people import registered

WARM_UP, ROUNDS = 3, 7
SCALE = 3
"""The network is slower by this for the ratios: so the local services' own milliseconds count for less."""
PATIENCE = 20.0
CHAIN = {
    "aws.ssm GetParameters": "which person the account is linked to",
    "aws.sqs SendMessage": "the answer is on the queue, and the click acknowledged",
    "graph checkMemberGroups": "whether the person is in the group now",
    "aws.ssm PutParameter": "the entry of the log, created before anything follows from it",
    "aws.sagemaker UpdateModelPackage": "the registry; the pointer is written beside it",
}
CARD = "slack chat.update"
"""Behind the chain: nobody is told before it is true."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One click: seconds until it was recorded, and until the card showed it; its calls until the card did."""

    recorded: float
    shown: float
    calls: tuple[Counted, ...]
    opened: int

    @property
    def before(self) -> list[Counted]:
        """The calls until it was recorded."""
        return [each for each in self.calls if each.ended <= self.recorded + 1e-3]


Act = Callable[[int], Taken]


class Watch:
    """Takes the time of clicks."""

    def __init__(self, stack: Stack, proxies: Mapping[str, Proxy], scale: float) -> None:
        self.stack, self._proxies, self._scale = stack, proxies, scale
        self.writes = Writes()

    def take(self, act: Callable[[], None], *names: str) -> Taken:
        """Let somebody click, and wait for the thread; `names` are parts of the parameters' names."""
        opened, meter, began = self._connections, Meter(self.stack), time.monotonic()
        act()
        until = time.monotonic() + PATIENCE
        while not any(each.what == "chat.postMessage" for each in meter.calls()) and time.monotonic() < until:
            time.sleep(0.02)
        recorded = self.writes.recorded(began, *names) - began
        calls = [self._sent(each, began) for each in meter.calls()]
        shown = next(each.ended for each in calls if each.what == "chat.update")
        done = tuple(each for each in calls if each.ended <= shown)
        return Taken(recorded, shown, done, self._connections - opened)

    @property
    def _connections(self) -> int:
        return sum(each.connections for each in self._proxies.values())

    def _sent(self, call: Counted, began: float) -> Counted:
        """A call from its sender's side: the network comes first."""
        far = self._scale * DELAYS[where(call)]
        return Counted(call.service, call.what, call.started - began - far, call.ended - began)


def where(call: Counted) -> str:
    """Whose network a call goes through."""
    return {"slack": "slack", "graph": "microsoft", "entra": "microsoft"}.get(call.service, "aws")


def measure(stack: Stack, scale: float, rounds: int, say: Callable[[str], None]) -> dict[str, list[Taken]]:
    """Clicks in turn: ours, and the baseline that signs in at each click, and the one that keeps MSAL's token."""
    count = WARM_UP + rounds
    say("registering versions to be answered")
    models = [registered(stack, f"churn-x{scale:g}-{number}") for number in range(count)]
    with network(stack, scale) as proxies:
        watch = Watch(stack, proxies, scale)
        kinds = {"blog": Blog(stack), "blog, token kept": Blog(stack, {"KEEP_TOKEN": "yes"})}
        cards = {name: _cards(blog, f"{name[-4:].strip()}-x{scale:g}", count) for name, blog in kinds.items()}
        stack.aws.on_event.append(watch.writes.note)
        found: dict[str, list[Taken]] = {"ours": [], **{name: [] for name in kinds}}
        for number in range(count):
            say(f"answers over a network {scale:g} times as slow, {number + 1} of {count}")
            for name, blog in kinds.items():
                found[name].append(_blog_click(watch, blog, cards[name][number]))
            found["ours"].append(watch.take(partial(press, stack, models[number]), "/history/", "/approved/"))
        stack.aws.on_event.remove(watch.writes.note)
        for blog in kinds.values():
            blog.stop()
    return {name: each[WARM_UP:] for name, each in found.items()}


def _cards(blog: Blog, group: str, count: int) -> list[Message]:
    return [blog.ask(blog.stack.pipeline.register(f"blog-{group}-{number}")) for number in range(count)]


def _blog_click(watch: Watch, blog: Blog, message: Message) -> Taken:
    with blog.here():
        watch.stack.aws.on_event.append(watch.writes.note)
        return watch.take(lambda: blog.click(message), "/history", "/approved")


def bound(found: Sequence[Taken], scale: float, *, shown: bool = False) -> tuple[float, float]:
    """The delays of the chain; and with what the local services took for its calls, which no bot can change."""
    names = [*CHAIN, CARD] if shown else list(CHAIN)
    calls = [[_of(each, name) for name in names] for each in found]
    delays = sum(scale * DELAYS[where(each)] for each in calls[0])
    own = median(sum(each.ended - each.started - scale * DELAYS[where(each)] for each in one) for one in calls)
    return delays, delays + own


def _of(taken: Taken, name: str) -> Counted:
    return next(each for each in taken.calls if f"{each.service} {each.what}" == name)


def section(found: Mapping[str, Sequence[Taken]], scale: float, *, judged: bool) -> Section:
    """The table of one network."""
    delays, least = bound(found["ours"], scale)
    shown_delays, shown_least = bound(found["ours"], scale, shown=True)
    rows = [_row(name, found[name], found["ours"]) for name in found]
    rows.append(_bound_row("the chain: delays alone", delays, shown_delays, found["ours"]))
    rows.append(_bound_row("the chain: with the services' own time", least, shown_least, found["ours"]))
    ours, blog = (median(each.recorded for each in found[name]) for name in ("ours", "blog"))
    ratios = (
        Ratio("a click until it is decided: the blog's time to ours", blog / ours, 4, at_least=True),
        Ratio("a click until it is decided: our time to the chain's", ours / least, 1.2),
    )
    return Section(
        f"A click, over a network {scale:g} times as slow" if scale != 1 else "A click",
        ("", "decided ms", "to ours", "card ms", "to ours", "calls", "waves", "connections"),
        tuple(rows),
        (),
        ratios if judged else (),
    )


def _row(name: str, found: Sequence[Taken], ours: Sequence[Taken]) -> tuple[str, ...]:
    recorded, shown = median(each.recorded for each in found), median(each.shown for each in found)
    to_ours = median(a.recorded / b.recorded for a, b in zip(found, ours, strict=True))
    shown_to_ours = median(a.shown / b.shown for a, b in zip(found, ours, strict=True))
    calls = median(len(each.before) for each in found)
    chain = median(len(waves(each.before)) for each in found)
    opened = median(each.opened for each in found)
    return (
        name, f"{recorded * 1000:.0f}", f"{to_ours:.2f}", f"{shown * 1000:.0f}", f"{shown_to_ours:.2f}",
        f"{calls:g}", f"{chain:g}", f"{opened:g}",
    )  # fmt: skip


def _bound_row(name: str, recorded: float, shown: float, ours: Sequence[Taken]) -> tuple[str, ...]:
    to_ours = recorded / median(each.recorded for each in ours)
    shown_to_ours = shown / median(each.shown for each in ours)
    chain = str(len(CHAIN))
    return (
        name, f"{recorded * 1000:.0f}", f"{to_ours:.2f}", f"{shown * 1000:.0f}", f"{shown_to_ours:.2f}",
        chain, chain, "0",
    )  # fmt: skip
