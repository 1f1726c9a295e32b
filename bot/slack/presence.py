"""Whether the bot is where its cards go: what `model-approvals doctor` asks Slack about a channel."""

from bot.slack.api import Permanent, SlackApi

INVITE = "invite the bot there: /invite @Model Approvals"
CORRECT = "correct notify.slack in the policy"


def absence(api: SlackApi, channel: str) -> str:
    """What keeps the bot from posting to a channel and what to do, or nothing; raise as `SlackApi.call` does.

    https://docs.slack.dev/reference/methods/conversations.info: a private channel is hidden from who is not in it.
    """
    try:
        found = api.call("conversations.info", {"channel": channel})["channel"]
    except Permanent as refused:
        if refused.error != "channel_not_found":
            raise
        return f"the workspace has no such channel, or a private one without the bot: {CORRECT}, or {INVITE}."
    name = f"#{found.get('name', channel)}"
    if found.get("is_archived"):
        return f"{name} is archived: unarchive it, or {CORRECT}."
    return "" if found.get("is_member") else f"the bot is not in {name}: {INVITE}."
