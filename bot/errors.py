"""The errors of the bot, one tree.

ApprovalError
├── Refused        the person is told, nothing changed
│   NotIdentified · NotLinked · SignInNeeded · NotAnApprover · SelfApproval · AlreadyDecided · AlreadyAnswered
│   OutOfOrder · Expired · ModelChanged · UnknownRequest · ReasonMissing · NotRecorded · NotRevocable
│   NotRequestable · BrokenLink ── LinkExpired
├── Unavailable    the outside world did not answer; the job is retried
├── Malformed      something that reached us is not what it should be; kept aside, never retried
├── NotApproved    nothing is approved where a pipeline asked for its model
└── SettingsError  every mistake in the settings at once

Anything else is a bug and crashes loudly. Every message is a whole sentence that says who, what and what to do next.
"""

from collections.abc import Iterable

UNIDENTIFIED = (
    "You could not be identified as one person of the company directory, so nothing was recorded. Use your own, full "
    "account of this workspace with its company e-mail address confirmed, and try again; if that does not help, ask "
    "your administrator, who finds the reason in the bot's log."
)
"""One text for all causes, until a person is identified: the exact cause is in the log alone."""


class ApprovalError(Exception):
    """Root of the tree."""


class Refused(ApprovalError):
    """The person is told why; the log, the registry and the approved models stay as they were."""


class NotIdentified(Refused):
    """The chat account could not be tied to exactly one person of the directory."""


class NotLinked(Refused):
    """The environment takes answers only from chat accounts that a verified link ties to a person."""


class SignInNeeded(Refused):
    """The environment takes answers only from the page, after a sign-in."""


class NotAnApprover(Refused):
    """The person is not, at this moment, an enabled member in the approver group."""


class SelfApproval(Refused):
    """Four eyes are wanted, and the requester answered."""


class AlreadyDecided(Refused):
    """The round has ended; the message names who ended it."""


class AlreadyAnswered(Refused):
    """One vote per person and round."""


class OutOfOrder(Refused):
    """An earlier environment has no standing approval."""


class Expired(Refused):
    """The request was not answered in time."""


class ModelChanged(Refused):
    """The model package is not the one that was on the card."""


class UnknownRequest(Refused):
    """No such request, or not the current round of it."""


class ReasonMissing(Refused):
    """A reject and a revoke need a reason."""


class NotRecorded(Refused):
    """The answer came too late to be recorded; the person has to answer again."""


class NotRevocable(Refused):
    """Nothing is approved that could be taken back."""


class NotRequestable(Refused):
    """No new round may be opened for this environment now."""


class BrokenLink(Refused):
    """A link, a form or a cookie that is none of ours, or was made for something else."""


class LinkExpired(BrokenLink):
    """It was ours, and has had its time or its one use."""


class Unavailable(ApprovalError):
    """A neighbour did not answer, or asked us to wait; the same call may succeed later."""


class Malformed(ApprovalError):
    """An event, a job or a payload that cannot be read; retrying cannot help."""


class NotApproved(ApprovalError):
    """No model of this group is approved for this environment."""


class SettingsError(ApprovalError):
    """Every mistake of a policy or of the settings, each named by its key."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))
