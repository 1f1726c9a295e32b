"""Slack's Web API, method by method, as far as a bot like ours uses it.

https://docs.slack.dev/reference/methods

Each method takes workspace and arguments and gives the body of an `ok` answer, or raises `SlackError`
with the name Slack gives the error. Stricter than Slack on purpose: a message with blocks but without `text`
is `no_text` (screen readers and notifications have nothing else); what Slack would silently cut is refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from infra.local import slack_rules as rules
from infra.local.slack_tickets import Expired
from infra.local.slack_wire import Args, channel_json, message_json, user_json, view_json
from infra.local.slack_workspace import Channel, Json, Message, SlackError, View, Workspace

TS = re.compile(r"\d+\.\d{6}")


# checks that several methods share


def _channel(workspace: Workspace, args: Args) -> Channel:
    """Find the channel by id or, as posting methods allow, by name; a private one only with the bot in it."""
    wanted = args.needed("channel").removeprefix("#")
    for channel in workspace.channels.values():
        if wanted in {channel.id, channel.name} and (channel.bot_in_channel or not channel.private):
            return channel
    raise SlackError("channel_not_found")


def _writable(workspace: Workspace, args: Args) -> Channel:
    channel = _channel(workspace, args)
    if channel.archived:
        raise SlackError("is_archived")
    if not channel.bot_in_channel:
        raise SlackError("not_in_channel")
    return channel


def checked_content(args: Args) -> tuple[str, list[Json]]:
    """Check text and blocks of a message by Slack's limits."""
    text, blocks = args.text("text"), args.json("blocks", "invalid_blocks_format") or []
    if args.values.get("attachments"):
        raise SlackError("invalid_attachments", "the stand-in knows blocks only")
    if problems := rules.message_problems(blocks):
        raise SlackError("invalid_blocks", *problems)
    if not text:
        raise SlackError("no_text")
    if len(text) > rules.MESSAGE_TEXT:
        raise SlackError("msg_too_long")
    if rules.letters(blocks) > rules.BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    return text, blocks


def _metadata(args: Args) -> Json | None:
    metadata: Json | None = args.json("metadata", "invalid_metadata_format")
    if not metadata:
        return metadata
    if problems := rules.metadata_problems(metadata):
        raise SlackError("invalid_metadata_format", *problems)
    if len(json.dumps(metadata)) > rules.METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def _thread(workspace: Workspace, channel: Channel, args: Args) -> str:
    thread_ts = args.values.get("thread_ts") or ""
    if not thread_ts:
        return ""
    if not isinstance(thread_ts, str) or not TS.fullmatch(thread_ts):
        raise SlackError("invalid_thread_ts", f"{thread_ts} is not a valid thread_ts")
    try:
        root = workspace.message(channel.id, thread_ts)
    except SlackError as missing:
        raise SlackError("thread_not_found") from missing
    if root.thread_ts or root.only_for:
        raise SlackError("cannot_reply_to_message")
    return thread_ts


# the methods


def auth_test(workspace: Workspace, args: Args) -> Json:
    """Say whose token it is."""
    del args
    return {
        "url": f"https://{workspace.team_domain}.invalid/",
        "team": workspace.team_domain,
        "team_id": workspace.team_id,
        "user": workspace.users[workspace.bot_user_id].name,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def post_message(workspace: Workspace, args: Args) -> Json:
    """Post to a channel or into a thread."""
    channel = _writable(workspace, args)
    text, blocks = checked_content(args)
    message = Message(
        channel.id,
        "",
        workspace.bot_user_id,
        text,
        blocks=blocks,
        metadata=_metadata(args) or None,
        thread_ts=_thread(workspace, channel, args),
        broadcast=args.flag("reply_broadcast"),
    )
    posted = workspace.post(message)
    return {"channel": channel.id, "ts": posted.ts, "message": message_json(workspace, posted)}


def update(workspace: Workspace, args: Args) -> Json:
    """Replace one of our own messages; metadata stays when none is given, blocks do not."""
    channel = _channel(workspace, args)
    if channel.id != args.text("channel"):
        raise SlackError("channel_not_found")
    if channel.archived:
        raise SlackError("is_inactive")
    old = workspace.message(channel.id, args.needed("ts"))
    if old.only_for:
        raise SlackError("message_not_found")
    if old.user != workspace.bot_user_id:
        raise SlackError("cant_update_message")
    text, blocks = checked_content(args)
    metadata = _metadata(args)
    kept = old.metadata if metadata is None else metadata or None
    new = workspace.change(replace(old, text=text, blocks=blocks, metadata=kept))
    return {"channel": channel.id, "ts": new.ts, "text": text, "message": message_json(workspace, new)}


def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    """Show a message to one member of a channel."""
    channel, user = _writable(workspace, args), args.needed("user")
    text, blocks = checked_content(args)
    if user not in workspace.users or not channel.has(user):
        raise SlackError("user_not_in_channel")
    thread_ts = _thread(workspace, channel, args)
    whisper = Message(channel.id, "", workspace.bot_user_id, text, blocks=blocks, thread_ts=thread_ts, only_for=user)
    return {"message_ts": workspace.post(whisper).ts}


def get_permalink(workspace: Workspace, args: Args) -> Json:
    """Give the address of a message; the caller completes it with its own origin."""
    channel = _channel(workspace, args)
    message = workspace.message(channel.id, args.needed("message_ts"))
    path = f"/archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {"channel": channel.id, "permalink": path + thread}


def users_info(workspace: Workspace, args: Args) -> Json:
    """Describe a person."""
    if user := workspace.users.get(args.needed("user")):
        return {"user": user_json(workspace, user)}
    raise SlackError("user_not_found")


def users_lookup_by_email(workspace: Workspace, args: Args) -> Json:
    """Find an active person by e-mail."""
    email = args.needed("email").lower()
    for user in workspace.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": user_json(workspace, user)}
    raise SlackError("users_not_found")


def conversations_replies(workspace: Workspace, args: Args) -> Json:
    """Read a message and its whole thread; `include_all_metadata` shows what the app stored with them."""
    channel = _channel(workspace, args)
    if not channel.bot_in_channel:
        raise SlackError("not_in_channel")
    try:
        root = workspace.message(channel.id, args.needed("ts"))
    except SlackError as missing:
        raise SlackError("thread_not_found") from missing
    shown = args.flag("include_all_metadata")
    messages = [root, *workspace.replies(channel.id, root.ts)]
    drawn = [
        message_json(workspace, each) | ({"metadata": each.metadata} if shown and each.metadata else {})
        for each in messages
    ]
    return {"messages": drawn, "has_more": False}


def conversations_info(workspace: Workspace, args: Args) -> Json:
    """Describe a channel; a private one only to who is in it, and each kind only with the scope for it."""
    channel = workspace.channels.get(args.needed("channel"))
    if channel is None or (channel.private and not channel.bot_in_channel):
        raise SlackError("channel_not_found")
    if (scope := "groups:read" if channel.private else "channels:read") not in workspace.scopes:
        raise SlackError("missing_scope", needed=scope)
    return {"channel": channel_json(channel)}


def _checked_view(args: Args) -> Json:
    view: Json = args.json("view", "invalid_arguments")
    if problems := rules.modal_problems(view):
        raise SlackError("invalid_arguments", *problems)
    if len(json.dumps(view)) > rules.VIEW_BYTES:
        raise SlackError("view_too_large")
    return view


def views_open(workspace: Workspace, args: Args) -> Json:
    """Open a modal in front of the person who caused the trigger id."""
    view, trigger = _checked_view(args), args.needed("trigger_id")
    try:
        ticket = workspace.tickets.exchange(trigger)
    except Expired as expired:
        raise SlackError(str(expired)) from expired
    return {"view": view_json(workspace, workspace.show_view(ticket.user, view))}


def views_update(workspace: Workspace, args: Args) -> Json:
    """Replace an open modal; with `hash`, only the version the app has seen."""
    body, view = _checked_view(args), _found_view(workspace, args)
    if args.text("hash") not in {"", view.hash}:
        raise SlackError("hash_conflict")
    return {"view": view_json(workspace, workspace.change_view(view, body))}


def _found_view(workspace: Workspace, args: Args) -> View:
    view_id, external_id = args.text("view_id"), args.text("external_id")
    for view in workspace.views.values():
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


@dataclass(frozen=True, slots=True)
class Method:
    """A method, the scopes that each open it, and its rate tier; tier 0 is posting, limited per channel."""

    run: Callable[[Workspace, Args], Json]
    tier: int
    scopes: tuple[str, ...] = ()


METHODS: Mapping[str, Method] = {
    "auth.test": Method(auth_test, 4),
    "chat.postMessage": Method(post_message, 0, ("chat:write",)),
    "chat.update": Method(update, 3, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, 4, ("chat:write",)),
    "chat.getPermalink": Method(get_permalink, 4),
    "users.info": Method(users_info, 4, ("users:read",)),
    "users.lookupByEmail": Method(users_lookup_by_email, 3, ("users:read.email",)),
    "conversations.info": Method(conversations_info, 3, ("channels:read", "groups:read", "im:read", "mpim:read")),
    "conversations.replies": Method(conversations_replies, 3, ("channels:history", "groups:history")),
    "views.open": Method(views_open, 4),
    "views.update": Method(views_update, 4),
}
