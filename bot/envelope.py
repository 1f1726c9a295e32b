"""How a job travels through the queues: its body, and what tells it from others."""

from typing import TYPE_CHECKING

from bot.clicks import Click
from bot.codec import to_json
from bot.domain import rfc3339
from bot.encoding import encode, sha256

if TYPE_CHECKING:
    from bot.jobs import Job


OPENINGS = frozenset({"open", "measure", "request", "tidy"})
"""The kinds of job that may append `opened`, post new cards or remove markers: those on the queue `openings`."""


def encode_job(job: "Job") -> str:
    """The body of the queue's message."""
    return encode({**to_json(job), "kind": job.kind})


def deduplication_id(job: "Job") -> str:
    """At most 128 characters of [a-z0-9]: the same click within five minutes is swallowed by the queue.

    A timer or hint carries its sender, so that one that was refused can be sent again.
    """
    return sha256(f"{job.op}|{getattr(job, 'sender', '')}")


def described(job: "Job") -> str:
    """The job in a few words, for logs."""
    at = f" at {rfc3339(job.at)}" if isinstance(job, Click) else ""
    return f"{type(job).__name__} {job.op}{at}"
