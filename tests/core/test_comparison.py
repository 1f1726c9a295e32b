"""How a challenger's metrics are compared with those of the champion, in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card import ROWS, card_of, compare
from bot.domain import ModelVersion
from bot.entries import Champion, Opened, Requester
from bot.evidence import Evidence, Metric
from bot.history import VersionState, apply, decode_entry, next_entry
from bot.line import Strong, plain
from bot.measure import Measure
from bot.policy import MetricsPolicy
from tests.memory import START

FINITE = st.floats(allow_nan=False, allow_infinity=False)
HIGHER = ["auc", "val_accuracy", "precision", "recall", "f1", "F2_macro", "f0_5", "r2", "specificity"]
LOSSES = ["log_loss", "mean_error", "rmse", "mae", "mse", "mape", "brier"]
LOWER = [*LOSSES, "latency", "p99_ms", "false_negative_rate", "false_positive_rate"]


def opened(count, champion=None):
    metrics = tuple(Metric(f"auc_{number}", 0.5) for number in range(count))
    return Opened(
        environment="dev",
        round=1,
        arn="arn:1",
        fingerprint="f",
        containers=(),
        path=("dev",),
        approvers="group",
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("pipeline"),
        evidence=Evidence(metrics),
        champion=champion,
    )


def card(event):
    state = VersionState(ModelVersion("churn", 7))
    state = apply(state, next_entry(state, event, "op", START))
    return card_of(state, state.pending[0])


def words(name, challenger, champion, *, noise=(None, None)):
    return compare(Metric(name, challenger, noise[0]), Metric(name, champion, noise[1]))


@pytest.mark.parametrize(("names", "up", "down"), [(HIGHER, "better", "worse"), (LOWER, "worse", "better")])
def test_a_metric_of_a_known_direction_has_a_verdict(names, up, down):
    for name in names:
        assert words(name, 0.75, 0.5) == f"▲ 0.250 {up}"
        assert words(name, 0.5, 0.75) == f"▼ 0.250 {down}"


@pytest.mark.parametrize("name", ["rows", "share_of_women", "score", "depth", "latitude", "x"])
def test_a_metric_of_an_unknown_direction_has_none(name):
    assert words(name, 0.75, 0.5) == "▲ 0.250"
    assert words(name, 0.5, 0.75) == "▼ 0.250"


@pytest.mark.parametrize("noise", [(0.25, None), (None, 0.25), (0.25, 0.1), (0.1, 0.25)])
def test_a_change_as_large_as_its_deviation_is_not_clear_and_a_larger_one_is(noise):
    assert words("auc", 0.75, 0.5, noise=noise) == "▲ 0.250 no clear change"
    assert words("auc", 0.765625, 0.5, noise=noise) == "▲ 0.266 better"
    assert words("rows", 0.75, 0.5, noise=noise) == "▲ 0.250 no clear change"


def test_a_change_that_cannot_be_seen_is_none():
    assert words("auc", 0.5004, 0.5) == "no change"
    assert words("auc", 0.5006, 0.5) == "▲ 0.001 better"


@pytest.mark.parametrize(
    ("name", "challenger", "champion", "said"),
    [
        ("false_positive_rate", 0.00048, 0.00012, "▲ 0.00036 worse"),
        ("false_positive_rate", 0.00012, 0.00012 * (1 + 1e-9), "no change"),
        ("loss", 0.0996, 0.0995, "▲ 0.0001 worse"),
        ("latency", 12.13, 11.486, "▲ 0.644 worse"),
        ("latency", 1250.4, 1250.1, "▲ 0.300 worse"),
    ],
)
def test_small_numbers_are_compared_too(name, challenger, champion, said):
    assert words(name, challenger, champion) == said


def test_what_is_measured_in_another_unit_is_not_compared():
    assert compare(Metric("latency", 41.5, unit="ms"), Metric("latency", 0.05, unit="s")) == "new"


@given(FINITE, FINITE, st.none() | FINITE)
def test_any_two_numbers_can_be_compared(challenger, champion, noise):
    found = words("auc", challenger, champion, noise=(noise, None))
    assert found == "no change" or found[0] == ("▲" if challenger > champion else "▼")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (9.9994, "", "9.999"),
        (10.0, "", "10"),
        (-9.5, "", "-9.500"),
        (-12.5, "", "-12.5"),
        (10.4, "ms", "10.4 ms"),
        (212.46, "ms", "212.5 ms"),
        (1250.4, "ms", "1,250 ms"),
        (1234567.0, "rows", "1,234,567 rows"),
        (1234567.0, "", "1,234,567"),
        (1.5e300, "", "1.5e+300"),
        (0.25, "s", "0.250 s"),
        (0.00048, "", "0.00048"),
        (0.0, "", "0.000"),
    ],
)
def test_a_number_is_shown_with_as_many_digits_as_help(value, unit, shown):
    event = replace(opened(0), evidence=Evidence((Metric("width", value, unit=unit),)))
    table = card(event).table
    assert table
    assert table.rows[0].challenger == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("auc", "AUC"),
        ("f1", "F1"),
        ("f2", "F2"),
        ("mae", "MAE"),
        ("mape", "MAPE"),
        ("mse", "MSE"),
        ("rmse", "RMSE"),
        ("r2", "R2"),
        ("val_auc_mean", "val AUC mean"),
        ("Precision", "Precision"),
    ],
)
def test_a_metric_is_called_as_people_write_it(name, shown):
    table = card(replace(opened(0), evidence=Evidence((Metric(name, 0.5),)))).table
    assert table
    assert table.rows[0].name == shown


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (ROWS, []),
        (ROWS + 1, ["1 more metric on the page of this request."]),
        (ROWS + 2, ["2 more metrics on the page of this request."]),
    ],
)
def test_metrics_that_have_no_place_are_counted(count, said):
    found = card(opened(count))
    assert found.table
    assert len(found.table.rows) == ROWS
    assert [plain(line) for line in found.notes if "more metric" in plain(line)] == said


# -- what the policy says of metrics


def judged(*metrics, champion=None, **policy):
    """The round's card, opened as the policy wants it."""
    said = MetricsPolicy(**policy)
    event = opened(0, champion)
    return replace(event, evidence=Evidence(said.ordered(metrics)), measures=said.of(metrics))


@pytest.mark.parametrize(
    ("policy", "verdict"), [({}, "0.250"), ({"higher": ("*uplift",)}, "better"), ({"lower": ("up*",)}, "worse")]
)
def test_the_policy_says_which_direction_is_better(policy, verdict):
    event = judged(Metric("uplift", 0.75), champion=Champion(6, (Metric("uplift", 0.5),)), **policy)
    [row] = card(event).table.rows
    assert row.change.endswith(verdict)


def test_the_policys_word_goes_before_what_is_usual():
    event = judged(Metric("auc", 0.75), champion=Champion(6, (Metric("auc", 0.5),)), lower=("auc",))
    assert card(event).table.rows[0].change == "▲ 0.250 worse"


def test_the_policys_order_goes_before_the_reports():
    metrics = [Metric(name, 0.5) for name in ("auc", "recall", "uplift", "binary.gain")]
    event = judged(*metrics, order=("gain", "uplift", "never_measured"))
    assert [row.name for row in card(event).table.rows] == ["binary.gain", "uplift", "AUC", "recall"]


@pytest.mark.parametrize(
    ("value", "bounds", "says"),
    [
        (0.79, {"at_least": {"auc": 0.8}}, "Outside the policy's bounds: AUC 0.790 (at least 0.8)."),
        (0.8, {"at_least": {"auc": 0.8}}, ""),
        (0.81, {"at_most": {"auc": 0.8}}, "Outside the policy's bounds: AUC 0.810 (at most 0.8)."),
        (
            0.99,
            {"at_least": {"auc": 0.5}, "at_most": {"auc": 0.9}},
            "Outside the policy's bounds: AUC 0.990 (at least 0.5 and at most 0.9).",
        ),
        (0.7, {"at_least": {"recall": 0.5}}, "Not measured, though the policy sets bounds: recall."),
        (0.7, {"higher": ("auc",)}, ""),
    ],
)
def test_a_bound_that_is_not_kept_is_said_on_the_card(value, bounds, says):
    lines = [plain(line) for line in card(judged(Metric("auc", value), **bounds)).facts]
    assert [line for line in lines if "policy" in line] == ([says] if says else [])


def test_what_stands_out_ends_in_no_space_beside_which_slack_would_not_mark_it():
    event = judged(Metric("auc", 0.7), at_least={"auc": 0.8, "recall": 0.5})
    shown = card(replace(event, evidence=replace(event.evidence, violations=("age: baseline_drift_check",))))
    strong = [part.text for line in shown.facts for part in line if isinstance(part, Strong)]
    assert strong[-3:] == [
        "Outside the policy's bounds:",
        "Not measured, though the policy sets bounds:",
        "1 constraint is violated:",
    ]


def test_a_bound_holds_for_a_metric_that_is_named_with_its_group():
    event = judged(Metric("binary.auc", 0.7), Metric("multi.auc", 0.9), at_least={"auc": 0.8})
    assert "binary.auc 0.700 (at least 0.8)." in plain(card(event).facts[1])


def test_what_the_policy_said_then_stands_on_the_card_whatever_it_says_now():
    event = judged(Metric("auc", 0.7), at_least={"auc": 0.8})
    entry = next_entry(VersionState(ModelVersion("churn", 7)), event, "op", START)
    again = decode_entry(entry.raw, seq=1).event
    assert isinstance(again, Opened)
    assert again.measures == (Measure("auc", at_least=0.8),)
    assert card(again).facts == card(event).facts
