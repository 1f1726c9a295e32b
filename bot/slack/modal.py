"""The forms that ask why: of a Reject, a Revoke and a Restore. https://docs.slack.dev/reference/views/modal-views."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.domain import Act, MessageRef, RequestId
from bot.errors import Malformed
from bot.slack.mrkdwn import plain_text
from bot.slack.whispers import told

Json = dict[str, Any]

REJECTING, REVOKING, RESTORING = "approval.reject.reason", "approval.revoke.reason", "approval.restore.reason"
ACTS: Mapping[str, Act] = MappingProxyType({REVOKING: Act.REVOKE, RESTORING: Act.RESTORE})
REASON = "reason"
LONGEST_REASON = 2000
TITLE = 24
_VERBS = {REJECTING: "Reject", REVOKING: "Revoke", RESTORING: "Restore"}
_FOLLOWS = {
    REJECTING: "",
    REVOKING: "The newest other approval that stands is loaded instead, or nothing; requests that follow from it end. ",
    RESTORING: "The rejection by hand is taken back; what was approved stands as before. ",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """What came back: the request it is about, the card it was asked from, and what the person wrote."""

    request: RequestId
    card: MessageRef
    text: str


def reason_view(request: RequestId, card: MessageRef, form: str = REJECTING) -> Json:
    """The form of a request; it remembers where the card is, because a submission does not say."""
    memory = {"request": str(request), "channel": card.channel, "ts": card.ts}
    where = f"{request.model} for {request.environment}. {_FOLLOWS[form]}Everybody in the channel will see the reason."
    return {
        "type": "modal",
        "callback_id": form,
        "private_metadata": json.dumps(memory),
        "title": plain_text(_title(request, _VERBS[form]), TITLE),
        "submit": plain_text(_VERBS[form], TITLE),
        "close": plain_text("Cancel", TITLE),
        "blocks": [{"type": "context", "elements": [plain_text(where, 2000)]}, _input()],
    }


def way_view(text: str, *, pages: str, way: str) -> Json:
    """What lies over the form of somebody who has to go to our pages first; closing it leads back to the form."""
    return {
        "type": "modal",
        "title": plain_text("Not recorded yet", TITLE),
        "close": plain_text("Back", TITLE),
        "blocks": told(text, pages=pages, way=way)["blocks"],
    }


def read_reason(view: Mapping[str, Any]) -> Reason:
    """Read a submitted form; raise `Malformed` for one that this version of the bot did not write."""
    try:
        memory = json.loads(view["private_metadata"])
        card = MessageRef(str(memory["channel"]), str(memory["ts"]))
        written = view["state"]["values"][REASON][REASON]["value"]
        return Reason(RequestId.parse(str(memory["request"])), card, str(written or "").strip())
    except (KeyError, TypeError, ValueError) as problem:
        raise Malformed(f"not a reason of ours: {problem!r:.200}") from problem


def _title(request: RequestId, verb: str) -> str:
    whole = f"{verb} {request.model}"
    return whole if len(whole) <= TITLE else f"{verb} v{request.version}"


def _input() -> Json:
    element = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": LONGEST_REASON,
        "focus_on_load": True,
    }
    return {
        "type": "input",
        "block_id": REASON,
        "label": plain_text("Reason", 2000),
        "element": element,
    }
