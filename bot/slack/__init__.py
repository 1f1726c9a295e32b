"""Slack: the door that takes clicks, forms and the slash command, and the channel that shows cards."""
