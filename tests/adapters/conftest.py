"""What the tests of several adapters run on."""

from collections.abc import Iterator

import pytest

from infra.local.aws import BOT_KEY, Aws


@pytest.fixture(scope="module")
def running() -> Iterator[Aws]:
    """An AWS that the adapters find as they find any: by the environment."""
    with Aws() as aws, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
        environment.setenv("AWS_ACCESS_KEY_ID", BOT_KEY)
        environment.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield aws
