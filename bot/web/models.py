"""What waits, and every model with its versions and their history."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.card import who_ended
from bot.domain import ModelVersion, State
from bot.errors import UnknownRequest
from bot.history import Round, VersionState
from bot.line import plain
from bot.overview import WORDS
from bot.overview import columns as columns_of
from bot.records import Look
from bot.trend import furthest
from bot.web import overview
from bot.web.charts import charts
from bot.web.ground import Site
from bot.web.overview import Piece
from bot.web.pages import draw
from bot.web.reply import Reply
from bot.web.session import Caller
from bot.web.story import story_of


@dataclass(frozen=True, slots=True)
class Place:
    """An environment as a version's page has it: its rounds, newest first, and where it can be asked for."""

    name: str
    rounds: tuple[tuple[Piece, str], ...]
    ask: str
    after: str


def home(site: Site, caller: Caller) -> Reply:
    """The requests that wait for this person, those that wait for others, and every group."""
    found = site.desk.overview(caller.user)
    columns = columns_of(found.statuses.values(), site.desk.policy.path)
    values = {
        "mine": [(overview.request_page(each.request), each) for each in found.waiting if each.mine],
        "others": [(overview.request_page(each.request), each) for each in found.waiting if not each.mine],
        "columns": columns,
        "rows": overview.groups(found.statuses, columns),
    }
    return draw(site, "home.html", caller, values, title="Requests")


def group(site: Site, caller: Caller) -> Reply:
    """One group: its versions, and where each stands."""
    desk, name = site.desk, caller.words["group"]
    asked, read = desk.crew.together(lambda: desk.member(caller.user), lambda: desk.group(name))
    asked.result()
    status = read.result()
    columns = columns_of([status], desk.policy.path)
    rows = overview.versions(name, status, columns)
    if not rows:
        raise UnknownRequest(f"Nothing is recorded of {name} yet. The list of all groups has those that are known.")
    trends = desk.trends(name, furthest(status, desk.policy.path), status)
    return draw(site, "group.html", caller, {"columns": columns, "rows": rows, "charts": charts(trends)}, title=name)


def version(site: Site, caller: Caller) -> Reply:
    """One version: its requests in each environment, and its whole history."""
    desk, model = site.desk, ModelVersion(caller.words["group"], int(caller.words["version"]))
    asked, read = desk.crew.together(lambda: desk.member(caller.user), lambda: desk.version(model))
    asked.result()
    look: Look = read.result()
    state = look.state
    if not state.head:
        raise UnknownRequest(f"Nothing is recorded of {model} yet. The page of {model.group} has what is known.")
    places = list(_places(state, desk.policy.path))
    asked_for = [each for each in desk.policy.path if state.current(each)]
    environment = furthest(look.status, asked_for, model.version)
    pictures = charts(desk.trends(model.group, environment, look.status, state=state), model.version)
    values = {"places": places, "charts": pictures, "group_page": f"/models/{model.group}", **story_of(state)}
    return draw(site, "version.html", caller, values, title=str(model))


def _places(state: VersionState, path: tuple[str, ...]) -> Iterator[Place]:
    """The policy's environments in order, then those that it no longer has."""
    for name in (*path, *(each for each in state.rounds if each not in path)):
        rounds = tuple((_piece(one), plain(who_ended(one))) for one in reversed(state.rounds.get(name, ())))
        current = state.current(name)
        asks = name in path and (current is None or current.state is not State.PENDING)
        missing = [each for each in path[: path.index(name)] if not state.standing(each)] if asks else []
        ask = overview.ask_page(state.model, name) if asks and not missing else ""
        yield Place(name, rounds, ask, missing[-1] if missing else "")


def _piece(one: Round) -> Piece:
    words = f"round {one.id.round}: {WORDS[one.state]}"
    return Piece(words, one.state, overview.request_page(one.id))
