"""Microsoft Teams: the door that takes the Bot Connector's activities, and the channel that shows cards."""
