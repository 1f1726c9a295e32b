"""What people look at: cards posted, repainted and threaded on every surface. A chat that fails never fails a job."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Any

from bot.approved import read_approved
from bot.card import card_of, further, offers, told
from bot.clicks import PATIENCE
from bot.domain import MessageRef, RequestId
from bot.entries import Entry, Measured, Observed, Opened, Restored, Revoked, Vote
from bot.errors import Refused, Unavailable
from bot.history import Round, VersionState
from bot.line import Line
from bot.neighbours import Neighbours
from bot.records import CardRecord, Posted
from bot.reminders import Reminder, Reminders

log = logging.getLogger(__name__)

SURFACES = {"slack": "Slack", "teams": "Microsoft Teams", "email": "e-mail"}
LATE = PATIENCE + timedelta(minutes=1)
"""After this time no call of a dead worker can land any more: one last repaint settles a card."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a job may do in its projection, and which card somebody looks at, on which surface."""

    op: str = ""
    posts: bool = False
    pointers: tuple[str, ...] = ()
    registry: bool = True
    sweeping: bool = False
    clicked: MessageRef | None = None
    surface: str = ""
    request: RequestId | None = None
    repaint: bool = False


class Display:
    """The cards of one version, seen once through one pass of a projection.

    `loaded` is what environments load, as far as this pass has settled it.
    """

    def __init__(
        self, near: Neighbours, state: VersionState, task: Task, cards: Mapping[RequestId, CardRecord]
    ) -> None:
        self._near = near
        self._state = state
        self._task = task
        self._before = cards
        self._cards = dict(cards)
        self.loaded: dict[str, str | None] = {}
        self._fresh: set[tuple[RequestId, str]] = set()
        self._failed = False
        self._lock = Lock()
        self._reminders = Reminders(near, state)

    @property
    def complete(self) -> bool:
        """Whether every card shows and every thread tells what it should, for good."""
        ended = [posted for one, surface, posted in self._shown() if one.ending and self._repaints(surface)]
        return not self._failed and all(posted.settled for posted in ended)

    @property
    def changed(self) -> Mapping[RequestId, CardRecord]:
        """The records that have to be written."""
        return {request: card for request, card in self._cards.items() if card != self._before.get(request)}

    def posts(self) -> Iterable[Callable[[], None]]:
        """A call for each pending round that has no card yet; a channel that refused one may have been mended."""
        for one in self._state.pending if self._task.posts else ():
            environment = self._near.policy.environment(one.id.environment, one.id.group)
            for surface, address in environment.notify.items() if environment else ():
                posted = self._posted(one).get(surface)
                if surface in self._near.channels and (posted is None or not posted.ts):
                    yield partial(self._post, one, surface, address)

    @property
    def behind(self) -> bool:
        """Whether a card or a thread that is there says too little, for the queue `decisions` to mend."""
        return self._task.posts and any(True for _ in (*self._updates(), *self._replies()))

    def updates(self) -> Iterable[Callable[[], object]]:
        """A call for each card whose text differs: `decisions` alone repaints, so that no two queues paint at once."""
        return () if self._task.posts else self._updates()

    def replies(self) -> Iterable[Callable[[], object]]:
        """A call for each thread that does not tell the whole history yet, by `decisions` alone."""
        return () if self._task.posts else self._replies()

    def _updates(self) -> Iterable[Callable[[], object]]:
        """Cards whose text differs, and the twin that somebody clicked."""
        for one, surface, posted in self._shown():
            if self._repaints(surface) and (one.id, surface) not in self._fresh:
                if self._differs(one, posted):
                    yield partial(self._update, one, surface, posted)
                twin = self._task.clicked if (self._task.request, self._task.surface) == (one.id, surface) else None
                if twin and twin != posted.ref and one.ending:
                    yield partial(self._repaint_twin, surface, twin, one)

    def _replies(self) -> Iterable[Callable[[], object]]:
        yield from self._losses()
        for one, surface, posted in self._shown():
            later = self._state.entries[posted.threaded :]
            lines = [entry for entry in later if one.id in threads_of(self._state, entry)]
            if not self._repaints(surface):
                lines = [entry for entry in lines if one.ending and one.ending.seq == entry.seq]
            if lines:
                yield partial(self._reply, one, surface, posted.ref, lines)
            for reminder in self._reminders.of(one, posted) if self._task.sweeping else ():
                yield partial(self._remind, one, surface, posted.ref, reminder)

    def _losses(self) -> Iterable[Callable[[], object]]:
        """A card that nobody sees any more is told of on another surface, once."""
        for one in self._state.all_rounds:
            cards = self._posted(one)
            others = [each for each, posted in cards.items() if each in self._near.channels and not posted.given_up]
            chats_first = sorted(others, key=lambda each: not self._repaints(each))
            for surface, lost in cards.items():
                if lost.given_up and not lost.settled and others:
                    yield partial(self._tell_loss, one, surface, chats_first[0])

    def _shown(self) -> Iterable[tuple[Round, str, Posted]]:
        for one in self._state.all_rounds:
            for surface, posted in self._posted(one).items():
                if surface in self._near.channels and posted.ts and not posted.given_up:
                    yield one, surface, posted

    def _repaints(self, surface: str) -> bool:
        return self._near.channels[surface].repaints

    def _first(self, surface: str) -> MessageRef | None:
        """The version's first card on a surface, which later ones follow."""
        rounds = sorted(self._state.all_rounds, key=lambda one: one.opened_entry.seq)
        posted = (self._posted(one).get(surface) for one in rounds)
        return next((each.ref for each in posted if each and each.ts), None)

    def _posted(self, one: Round) -> Mapping[str, Posted]:
        return self._cards.get(one.id, CardRecord()).surfaces

    def _differs(self, one: Round, posted: Posted) -> bool:
        repaints = self._task.repaint and self._task.request == one.id
        return repaints or self._settles(one, posted) or posted.shown != card_of(self._state, one).digest

    def _settles(self, one: Round, posted: Posted) -> bool:
        """Whether the sweep repaints a decided card once more, over whatever a dead worker may have painted."""
        over = one.ending is not None and self._near.clock() >= one.ending.at + LATE
        return self._task.sweeping and over and not posted.settled

    def _post(self, one: Round, surface: str, address: str) -> None:
        card, seq = card_of(self._state, one), one.opened_entry.seq
        try:
            ref = self._near.channels[surface].post(address, card, self._first(surface))
        except Refused as refused:
            self._give_up(one, surface, refused)
            before = self._posted(one).get(surface)
            told = before is not None and before.settled
            self._keep(one, surface, Posted(address, threaded=seq, given_up=str(refused), settled=told))
        except Unavailable as trouble:
            log.warning("card of %s not posted to %s yet: %s", one.id, surface, trouble)
            self._failed = True
        else:
            self._fresh.add((one.id, surface))
            self._keep(one, surface, Posted(ref.channel, ref.ts, card.digest, seq))

    def _update(self, one: Round, surface: str, posted: Posted) -> None:
        settled, digest = self._settles(one, posted), card_of(self._state, one).digest
        if self._try(one, surface, partial(self._repaint, surface, posted.ref, one)):
            self._note(one, surface, shown=digest, settled=settled)

    def _repaint(self, surface: str, ref: MessageRef, one: Round) -> None:
        self._near.channels[surface].update(ref, card_of(self._state, one))

    def _repaint_twin(self, surface: str, twin: MessageRef, one: Round) -> None:
        """Whatever becomes of it, the card that is remembered is not given up for it."""
        try:
            self._repaint(surface, twin, one)
        except (Refused, Unavailable) as trouble:
            log.warning("the other card of %s on %s was not repainted: %s", one.id, surface, trouble)

    def _reply(self, one: Round, surface: str, ref: MessageRef, lines: Iterable[Entry]) -> None:
        for entry in lines:
            line = (*told(self._state, entry), *further(entry, self._state.model.version), *self._loads(entry))
            card, may = card_of(self._state, one), offers(self._state, entry)
            if not self._try(one, surface, partial(self._near.channels[surface].reply, ref, line, card, may)):
                return
            self._note(one, surface, threaded=entry.seq)
            if self._task.sweeping and isinstance(entry.event, Vote):
                self._tell_late(entry.event)

    def _remind(self, one: Round, surface: str, ref: MessageRef, reminder: Reminder) -> None:
        """Tell people of a request that waits; where that will never reach them, its card is none the worse."""
        try:
            people = self._reminders.people(one, reminder)
            line = reminder.line if people else reminder.nobody
            self._near.channels[surface].remind(ref, line, card_of(self._state, one), people)
        except Refused as refused:
            log.error("nobody was reminded of %s on %s: %s", one.id, surface, refused)
        except Unavailable as trouble:
            log.warning("nobody was reminded of %s on %s yet: %s", one.id, surface, trouble)
            self._failed = True
            return
        self._note(one, surface, **reminder.noted)

    def _tell_loss(self, one: Round, surface: str, other: str) -> None:
        """Whoever reads the other card can see to it."""
        lost, card = self._posted(one)[surface], card_of(self._state, one)
        says = f"The card of {one.id} cannot be shown in {SURFACES.get(surface, surface)} ({lost.given_up}). "
        line = (says, "Whoever is asked there does not see it; please tell a platform engineer.")
        if self._try(one, other, partial(self._near.channels[other].reply, self._posted(one)[other].ref, line, card)):
            self._note(one, surface, settled=True)

    def _loads(self, entry: Entry) -> Line:
        """What an environment loads now that an approval was taken back, where this job has settled that."""
        if not isinstance(entry.event, Revoked) or entry.event.environment not in self.loaded:
            return ()
        name = entry.event.environment
        model, stop = read_approved(self.loaded[name]), "" if entry.event.reason.endswith((".", "!", "?")) else "."
        if model is None or not model.stands:
            return (f"{stop} Nothing is approved for {name} any more.",)
        return (f"{stop} {name} loads v{model.model_package_version} now.",)

    def _tell_late(self, vote: Vote) -> None:
        """Somebody may have been told that this was not recorded: a later word may correct that."""
        text = f"Your answer is recorded after all: {vote.answer} for {vote.environment}, round {vote.round}."
        try:
            self._near.channels[vote.via.surface].tell(vote.via, text)
        except (KeyError, Refused, Unavailable) as trouble:
            log.warning("could not tell %s that the vote is recorded: %s", vote.by.oid, trouble)

    def _try(self, one: Round, surface: str, call: Callable[[], object]) -> bool:
        """The sweep tries again what fails for now; what fails for good is given up."""
        try:
            call()
        except Refused as refused:
            self._give_up(one, surface, refused)
            self._note(one, surface, given_up=str(refused))
            return False
        except Unavailable as trouble:
            log.warning("card of %s on %s left to the sweep: %s", one.id, surface, trouble)
            self._failed = True
            return False
        return True

    def _give_up(self, one: Round, surface: str, refused: Refused) -> None:
        log.error("card of %s given up on %s: %s", one.id, surface, refused)
        self._near.meter("CardFailures", surface=surface)

    def _note(self, one: Round, surface: str, **changes: Any) -> None:  # noqa: ANN401 - fields of Posted
        """A card is repainted and its thread told side by side: neither may write over what the other has noted."""
        with self._lock:
            record = self._cards[one.id]
            self._cards[one.id] = record.with_surface(surface, replace(record.surfaces[surface], **changes))

    def _keep(self, one: Round, surface: str, posted: Posted) -> None:
        with self._lock:
            self._cards[one.id] = self._cards.get(one.id, CardRecord()).with_surface(surface, posted)


def threads_of(state: VersionState, entry: Entry) -> tuple[RequestId, ...]:
    """The requests under whose cards a step of the history is told."""
    view = state.until(entry.seq)
    found = [one.id for one in view.all_rounds if one.ending and one.ending.seq == entry.seq]
    match entry.event:
        case Vote(environment, number):
            found.append(view.request(environment, number))
        case Opened() as opened if opened.environment in opened.path:
            place = opened.path.index(opened.environment)
            before = view.current(opened.path[place - 1]) if place else None
            found += [before.id] if before else []
        case Restored():
            hands = [each for each in view.entries if isinstance(each.event, Observed)]
            stops = [each for each in hands if offers(state, each)]
            found += threads_of(state, stops[-1]) if stops else []
        case Measured(environment):
            found += [one.id] if (one := view.standing(environment)) else []
        case Observed() as observed:
            rounds = [one for one in view.all_rounds if observed.environment in ("", one.id.environment)]
            found += [max(rounds, key=lambda one: one.opened_entry.seq).id] if rounds else []
    return tuple(dict.fromkeys(found))
