"""Bolt's own sample for AWS Lambda, with one listener.

https://github.com/slackapi/bolt-python/tree/main/examples/aws_lambda
"""

import os
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

client = WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
app = App(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"], process_before_response=True)


@app.action("approve_model")
def approve(ack: Ack) -> None:
    """Acknowledge."""
    ack()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer API Gateway."""
    return SlackRequestHandler(app).handle(event, context)
