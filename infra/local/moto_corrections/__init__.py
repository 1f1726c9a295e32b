"""Where moto 5.2.5 differs from AWS, and what makes it agree.

Each correction is one function that says in its docstring what AWS does. `tests/local/test_aws.py`,
`tests/local/test_delivery.py` and `tests/local/test_mailbox.py` hold two tests for each: that the corrected server
behaves so, and that plain moto still does not; when the second fails, moto has caught up and the correction can go.

What is written here is what we believe of AWS, from its documentation; `make test-live` is there to disprove
it.
"""

from infra.local.moto_corrections import correction, inference, mail, parameters, queues, registry, roles


def apply() -> None:
    """Correct moto in this process; a second call changes nothing."""
    parts = (registry, parameters, queues, mail, inference, roles)
    correction.apply(each for part in parts for each in part.CORRECTIONS)
