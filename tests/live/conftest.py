"""Each service twice, the stand-in and the real one; and what takes away again what a test has made."""

import uuid
from contextlib import ExitStack

import pytest

from tests.live.targets import BOTH, AwsTarget, EntraTarget, SlackTarget, TeamsTarget, told


def asked(service, kind):
    @pytest.fixture(scope="module", params=BOTH)
    def target(request):
        with told(service, request.param, request.config.option.markexpr) as variables:
            yield kind(variables)

    return target


aws, slack = asked("AWS", AwsTarget), asked("Slack", SlackTarget)
entra, teams = asked("Entra", EntraTarget), asked("Teams", TeamsTarget)


@pytest.fixture
def after():
    """Taken away again, the last first, also when the test or one of these calls fails."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def unique():
    """A name that nothing else has."""
    return f"ma-live-{uuid.uuid4().hex[:12]}"
