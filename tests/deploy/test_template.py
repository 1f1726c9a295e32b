"""The template as CloudFormation is given it: rights, queues, alarms, and what nobody may forget."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint_file

from infra.local.stack import HANDLERS, MAX_RECEIVES, QUEUES, ROUTES, VISIBILITY
from infra.package.models import calls
from tests.deploy.template import FUNCTIONS, TEMPLATE, Json, of_type, transformed, words

READS = re.compile(r"^(\w+):(Get|List|Describe|Receive|ChangeMessageVisibility)")


@pytest.fixture(scope="module")
def resources() -> Json:
    """Every resource, after SAM's transformation."""
    found: Json = transformed()["Resources"]
    return found


def statements(resources: Json, function: str) -> list[Json]:
    """Everything that a function's role says."""
    role = resources[f"{function}Role"]["Properties"]
    shared = [resources[each["Ref"]]["Properties"]["PolicyDocument"] for each in role["ManagedPolicyArns"]]
    own = [each["PolicyDocument"] for each in role["Policies"]]
    found = [each for document in (*shared, *own) for each in document["Statement"]]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in found]


def allowed(resources: Json, function: str) -> set[str]:
    return {
        action
        for each in statements(resources, function)
        if each["Effect"] == "Allow"
        for action in words(each["Action"])
    }


def test_it_has_no_findings():
    assert [str(each) for each in lint_file(TEMPLATE)] == []


def test_nothing_depends_on_itself(resources):
    """CloudFormation refuses circles; a function's environment and its API make one easily."""
    needs = {name: _names(each, set(resources)) - {name} for name, each in resources.items()}
    done: set[str] = set()
    while ready := {name for name in needs if name not in done and needs[name] <= done}:
        done |= ready
    assert set(needs) - done == set()


def _names(value: Any, known: set[str]) -> set[str]:
    if isinstance(value, dict):
        found: set[str] = set()
        for key, each in value.items():
            if key == "Ref" and each in known:
                found.add(each)
            elif key == "Fn::GetAtt":
                found |= {words(each)[0]} & known
            elif key == "Fn::Sub":
                text = each if isinstance(each, str) else each[0]
                found |= set(re.findall(r"\$\{(\w+)", text)) & known
                found |= _names([] if isinstance(each, str) else each[1:], known)
            elif key == "DependsOn":
                found |= set(words(each)) & known
            else:
                found |= _names(each, known)
        return found
    return set().union(*(_names(each, known) for each in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_role_may_do_everything_or_write_everywhere(resources, function):
    for each in statements(resources, function):
        if each["Effect"] == "Allow":
            assert not [action for action in words(each["Action"]) if "*" in action]
            if each["Resource"] == "*":
                assert all(READS.match(action) for action in words(each["Action"])), each


def test_the_roles_together_hold_what_the_code_calls(resources):
    held = {"sts:AssumeRole"}.union(*(allowed(resources, function) for function in FUNCTIONS))
    names = {"sesv2": "ses"}
    made = {
        f"{names.get(service, service)}:{''.join(map(str.capitalize, method.split('_')))}"
        for service, methods in calls().items()
        for method in methods
    }
    assert made - held == {"ssm:GetParameter", "ses:GetEmailIdentity"}, "for SecureStrings, and for the doctor"


@pytest.mark.parametrize("function", ["Slack", "Teams", "Web", "Events", "Sweep"])
def test_what_people_and_events_reach_has_no_right_to_log_registry_or_models(resources, function):
    for each in statements(resources, function):
        if "ssm:PutParameter" in words(each["Action"]):
            assert re.search(r"/_(people|services)/", json.dumps(each["Resource"]))
    assert "sagemaker:UpdateModelPackage" not in allowed(resources, function)


@pytest.mark.parametrize("function", ["Decisions", "Openings"])
def test_aws_itself_keeps_the_history(resources, function):
    denied = [each for each in statements(resources, function) if each["Effect"] == "Deny"]
    histories = [each for each in denied if "/*/history/*" in json.dumps(each["Resource"])]
    over = [each for each in histories if each.get("Condition") == {"StringEquals": {"ssm:Overwrite": "true"}}]
    assert [words(each["Action"]) for each in over] == [["ssm:PutParameter"]]
    assert {action for each in histories for action in words(each["Action"])} == {
        "ssm:PutParameter",
        "ssm:DeleteParameter",
        "ssm:DeleteParameters",
    }


def test_only_decisions_write_what_is_approved(resources):
    denied = [each for each in statements(resources, "Openings") if each["Effect"] == "Deny"]
    assert [each for each in denied if "/*/approved/*" in json.dumps(each["Resource"])]


def test_every_queue_that_works_has_dead_letters_and_its_time_is_bounded(resources):
    queues = of_type(resources, "AWS::SQS::Queue")
    functions = of_type(resources, "AWS::Lambda::Function")
    working = {name: each for name, each in queues.items() if "Dead" not in name}
    assert set(working) == {"DecisionsQueue", "OpeningsQueue"}
    for name, queue in working.items():
        redrive = queue["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] == name.replace("Queue", "DeadQueue")
        assert queue["VisibilityTimeout"] > functions[name.replace("Queue", "Function")]["Timeout"]
        assert queue["VisibilityTimeout"] * redrive["maxReceiveCount"] < 15 * 60
        variables = functions["DecisionsFunction"]["Environment"]["Variables"]
        assert variables["MODEL_APPROVALS_MAX_RECEIVES"] == str(redrive["maxReceiveCount"])
    assert all(
        each["QueueName"]["Fn::Sub"].endswith("-dead.fifo")
        for name, each in queues.items()
        if "sDead" in name and "Events" not in name
    )


def test_nobody_but_the_functions_may_send(resources):
    [deny] = [
        each
        for each in resources["JobsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if each["Action"] == "sqs:SendMessage"
    ]
    principals = deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert {each["Fn::GetAtt"][0] for each in principals} == {f"{function}Role" for function in FUNCTIONS}
    assert len(deny["Resource"]) == len(resources["JobsQueuePolicy"]["Properties"]["Queues"]) == 4


def test_every_function_has_an_alias_a_log_and_an_alarm(resources):
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = {
        each["Dimensions"][0]["Value"]["Ref"]
        for each in alarms
        if each.get("MetricName") == "Errors" and each["Namespace"] == "AWS/Lambda"
    }
    for function in FUNCTIONS:
        name = f"{function}Function"
        assert resources[f"{name}Aliaslive"]["Type"] == "AWS::Lambda::Alias"
        assert resources[name]["Properties"]["LoggingConfig"]["LogGroup"] == {"Ref": f"{function}Logs"}
        assert resources[f"{function}Logs"]["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}
        assert resources[name]["Properties"]["LoggingConfig"]["LogFormat"] == "JSON"
    assert watched == {f"{function}Function" for function in FUNCTIONS}


def test_whoever_calls_a_function_calls_its_alias(resources):
    for kind, key in (
        ("AWS::ApiGatewayV2::Integration", "IntegrationUri"),
        ("AWS::Lambda::EventSourceMapping", "FunctionName"),
    ):
        for each in of_type(resources, kind).values():
            assert each[key]["Ref"].endswith("Aliaslive"), each
    targets = [target for rule in of_type(resources, "AWS::Events::Rule").values() for target in rule["Targets"]]
    targets += [each["Target"] for each in of_type(resources, "AWS::Scheduler::Schedule").values()]
    assert targets
    assert all("Aliaslive" in json.dumps(each["Arn"]) for each in targets)


def test_jobs_come_one_at_a_time_and_fail_one_at_a_time(resources):
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    assert len(mappings) == 4
    for each in mappings:
        assert (each["BatchSize"], each["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
        assert each["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_local_stack_has_the_same_functions_and_hands_them_the_same(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    assert {name.lower(): functions[f"{name}Function"]["Handler"] for name in FUNCTIONS} == {
        name: f"{module}.handler" for name, module in HANDLERS.items()
    }
    routes = of_type(resources, "AWS::ApiGatewayV2::Route").values()
    assert {(each["RouteKey"], each["Target"]["Fn::Sub"]) for each in routes} == {
        ("$default" if path == "/" else f"POST {path}", f"integrations/${{{name.capitalize()}Integration}}")
        for path, name in ROUTES.items()
    }
    integrations = of_type(resources, "AWS::ApiGatewayV2::Integration")
    assert {name: each["IntegrationUri"]["Ref"] for name, each in integrations.items()} == {
        f"{name.capitalize()}Integration": f"{name.capitalize()}FunctionAliaslive" for name in ROUTES.values()
    }
    polled = {
        (each["EventSourceArn"]["Fn::GetAtt"][0], each["FunctionName"]["Ref"])
        for each in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    }
    assert polled == {
        (f"{name.capitalize()}{dead}Queue", f"{name.capitalize()}FunctionAliaslive")
        for name in QUEUES
        for dead in ("", "Dead")
    }
    for name in QUEUES:
        queue = of_type(resources, "AWS::SQS::Queue")[f"{name.capitalize()}Queue"]
        assert (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]) == (VISIBILITY, MAX_RECEIVES)


def test_what_a_rule_could_not_hand_over_is_kept(resources):
    rules = of_type(resources, "AWS::Events::Rule").values()
    assert len(rules) == 4
    for rule in rules:
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] == "EventsDeadQueue"
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


EXISTING = {
    ("AWS/Lambda", "Errors"),
    ("AWS/Lambda", "Invocations"),
    ("AWS/Lambda", "Duration"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/SQS", "NumberOfMessagesReceived"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
}


def metered() -> set[str]:
    """What the code counts."""
    source = "\n".join(path.read_text() for path in (TEMPLATE.parents[1] / "bot").rglob("*.py"))
    return set(re.findall(r"(?:meter|Reading)\(\"(\w+)\"", source))


def filtered(resources: Json) -> set[str]:
    """What is counted in the log."""
    found = of_type(resources, "AWS::Logs::MetricFilter").values()
    return {each["MetricName"] for one in found for each in one["MetricTransformations"]}


def test_alarms_are_about_metrics_that_are_there(resources):
    for each in of_type(resources, "AWS::CloudWatch::Alarm").values():
        if (str(each["Namespace"]), each["MetricName"]) in EXISTING:
            continue
        assert each["Namespace"] == {"Ref": "AWS::StackName"}
        if each["MetricName"] in metered():
            assert each["Dimensions"] == [{"Name": "service", "Value": "model-approvals"}]
        else:
            assert each["MetricName"] in filtered(resources), each


def test_the_dashboard_shows_metrics_that_are_there(resources):
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    assert "Time to decision" in widgets[0]["properties"]["title"]
    shown = [metric for each in widgets for metric in each["properties"]["metrics"]]
    searched = {
        found for metric in shown for found in re.findall(r'MetricName="(\w+)"', json.dumps(metric).replace("\\", ""))
    }
    own = {metric[1] for metric in shown if metric[0] == "${AWS::StackName}"}
    assert searched | own <= metered() | filtered(resources)
    assert {"Requests", "Decisions", "Refusals", "TimeToDecision", "Repairs", "CardFailures"} <= searched | own
    theirs = {(metric[0], metric[1]) for metric in shown if str(metric[0]).startswith("AWS/")}
    assert theirs <= EXISTING
    places = [(each["x"], each["y"], each["width"], each["height"]) for each in widgets]
    assert all(x + width <= 24 for x, _, width, _ in places)
    assert len({(x, y) for x, y, *_ in places}) == len(places)


def test_environments_in_other_accounts_are_heard_and_reached_only_if_there_are_any(resources):
    names = [name for name, each in resources.items() if each.get("Condition") == "HasEnvironments"]
    assert sorted(names) == [f"Environments{each}" for each in ("Bus", "BusPolicy", "Permission", "Policy", "Rule")]
    policy = resources["EnvironmentsPolicy"]["Properties"]
    assert policy["Roles"] == [{"Ref": f"{each}Role"} for each in ("Events", "Decisions", "Openings")]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Resource"]["Fn::Sub"].endswith(":role/${AWS::StackName}-*")
    allowed_there = resources["EnvironmentsBusPolicy"]["Properties"]["Statement"]
    assert allowed_there["Action"] == "events:PutEvents"
    assert allowed_there["Principal"]["AWS"] == {"Fn::Split": [",", {"Ref": "EnvironmentAccounts"}]}
    assert resources["EnvironmentsPermission"]["Properties"]["SourceArn"]["Fn::GetAtt"] == ["EnvironmentsRule", "Arn"]


def test_what_the_log_is_searched_for_is_what_the_code_says(resources):
    source = "\n".join(path.read_text() for path in (TEMPLATE.parents[1] / "bot").rglob("*.py"))
    said = [line for line in source.splitlines() if "log.error(" in line or 'f"grant' in line or "HELD_UP" in line]
    told = "\n".join(said) + source[source.index("HELD_UP = {") :][:900]
    for each in of_type(resources, "AWS::Logs::MetricFilter").values():
        [wanted] = re.findall(r'message = "\*(.*)\*"', each["FilterPattern"])
        assert wanted in told, wanted


def test_every_setting_that_a_function_needs_is_given(resources):
    given = set(resources["DecisionsFunction"]["Properties"]["Environment"]["Variables"])
    config = (TEMPLATE.parents[1] / "bot" / "config.py").read_text()
    needed = set(re.findall(r'_(?:text|words)\(\s*"([A-Z_]+)", [^)]*\)(?!.*default)', config))
    optional = {"REGION", "CA_BUNDLE", "PROXY", "ENTRA_CERTIFICATE", "SLACK_API_URL", "GRAPH_URL", "ENTRA_AUTHORITY"}
    optional |= {name for name in needed if name.startswith("TEAMS_")} | {"ENTRA_ASSERTION_AUDIENCE"}
    assert {f"MODEL_APPROVALS_{name}" for name in needed - optional} <= given
