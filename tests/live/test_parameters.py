"""Parameter Store, on which the history rests."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

from bot.aws.clients import code_of
from bot.aws.parameters import SsmParameters
from tests.live.targets import REAL

WRITERS, ROUNDS = 8, 3


def put(aws, name, value="1", **more):
    return aws.patient("ssm").put_parameter(Name=name, Value=value, Type="String", **more)


def refusal(call, *args, **named):
    with pytest.raises(ClientError) as refused:
        call(*args, **named)
    return code_of(refused.value)


@pytest.fixture
def name(aws, unique, after):
    """A parameter of one test, which may or may not come to be."""
    after.callback(aws.patient("ssm").delete_parameters, Names=[f"/{unique}"])
    return f"/{unique}"


def test_of_several_writers_at_once_exactly_one_creates(aws, unique, after):
    """PutParameter without Overwrite creates once and refuses all others; so a decision is one (aws 3, identity 10)."""
    for number in range(ROUNDS):
        name, barrier, ssm = f"/{unique}/{number}", Barrier(WRITERS), aws.patient("ssm")
        after.callback(ssm.delete_parameters, Names=[name])

        def write(value, name=name, barrier=barrier, ssm=ssm):
            barrier.wait(30)
            try:
                return ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=False)["Version"]
            except ClientError as error:
                return code_of(error)

        with ThreadPoolExecutor(WRITERS) as pool:
            said = list(pool.map(write, map(str, range(WRITERS))))
        assert sorted(map(str, said)) == ["1", *["ParameterAlreadyExists"] * (WRITERS - 1)]
        winner = SsmParameters(aws.clients).get([name])[name].value
        assert winner == str(said.index(1))


def test_what_was_created_is_read_within_five_seconds(aws, name):
    """Read after create is soon, if not at once: `Records` waits that long (reliability 10)."""
    store = SsmParameters(aws.clients)
    assert store.create(name, "1")
    end = time.monotonic() + 5
    while name not in store.get([name]) and time.monotonic() < end:
        time.sleep(0.1)
    assert store.get([name])[name].value == "1"
    assert not store.create(name, "2")


def test_a_value_with_two_braces_is_refused(aws, name):
    """`{{` is taken for a reference: our encoding keeps it out (aws 3, reliability 3)."""
    assert refusal(put, aws, name, "{{ssm:other}}") == "ValidationException"
    assert put(aws, name, "{ { }}")["Version"] == 1


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_standard_parameter_holds_4096_bytes(aws, name, letter):
    """The 4 KB are bytes of UTF-8, and one more is refused (aws 3, reliability 3)."""
    most = 4096 // len(letter.encode())
    assert refusal(put, aws, name, letter * (most + 1), Tier="Standard") == "ValidationException"
    assert put(aws, name, letter * most, Tier="Standard")["Version"] == 1


def test_a_hundred_versions_are_kept_with_who_wrote_them(aws, name):
    """GetParameterHistory has the newest hundred and each writer's ARN; a labelled oldest one blocks (aws 3)."""
    ssm = aws.patient("ssm")
    for number in range(1, 103):
        put(aws, name, str(number), Overwrite=True)
    written = SsmParameters(aws.clients).written(name)
    assert [each.version for each in written] == list(range(3, 103))
    assert all(each.by.startswith("arn:aws") for each in written), written[0].by
    assert ssm.get_parameters(Names=[f"{name}:1"])["InvalidParameters"] == [f"{name}:1"]
    ssm.label_parameter_version(Name=name, ParameterVersion=3, Labels=["kept"])
    assert refusal(put, aws, name, "103", Overwrite=True) == "ParameterMaxVersionLimitExceeded"


@pytest.mark.parametrize("aws", REAL, indirect=True)  # moto asks no policy
def test_a_policy_keeps_entries_from_being_overwritten(aws, unique, after):
    """Deny with `ssm:Overwrite` "true" refuses an overwrite, and not a creation that leaves it out (reliability 10)."""
    overwrite = {"StringEquals": {"ssm:Overwrite": "true"}}
    deny = {"Effect": "Deny", "Action": "ssm:PutParameter", "Resource": "*", "Condition": overwrite}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}, deny]}
    ssm = aws.session(unique, Policy=json.dumps(policy))("ssm")
    after.callback(aws.patient("ssm").delete_parameters, Names=[f"/{unique}"])
    entry = {"Name": f"/{unique}", "Value": "1", "Type": "String"}
    assert ssm.put_parameter(**entry)["Version"] == 1
    assert refusal(ssm.put_parameter, **entry, Overwrite=True) == "AccessDeniedException"
    assert refusal(ssm.put_parameter, **entry) == "ParameterAlreadyExists"
