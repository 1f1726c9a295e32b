"""Train the two sample models on invented customers; write their parameters and their reports.

The models and what is measured of them are real. The customers are drawn by a formula, `_customer`, which is
the truth the models try to find. Training needs scikit-learn, in an environment of its own:

    python3 -m venv build/samples
    build/samples/bin/pip install scikit-learn==1.9.1
    build/samples/bin/python -m infra.local.samples.train

Drawing, scoring and measuring need the standard library alone.
"""

import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

FEATURES = (
    "tenure_months",
    "monthly_charge",
    "support_calls",
    "contract_months",
    "late_payments",
    "usage_change_percent",
)
SEED = 7
TRAINING, TESTING, BATCH = 6000, 2000, 1000
"""How many customers are drawn to train, to test, and to measure the latency of one batch."""
RESAMPLES = 200


class Customer(NamedTuple):
    """What is known of a customer, in the order of `FEATURES`, and whether they left."""

    features: tuple[float, ...]
    left: bool


class Scored(NamedTuple):
    """Whether a customer left, beside the probability that a model gave it."""

    left: bool
    score: float


# --- the customers


def customers(count: int, seed: int) -> list[Customer]:
    """Draw customers; the same count and seed give the same ones on every machine."""
    draw = random.Random(seed)
    return [_customer(draw) for _ in range(count)]


def _customer(draw: random.Random) -> Customer:
    """Draw one: plain effects, and two that a linear model cannot see (the two conditional lines)."""
    tenure = draw.randint(0, 72)
    charge = round(draw.triangular(15, 120, 55), 2)
    calls = min(9, int(draw.expovariate(0.7)))
    contract = draw.choices((1, 12, 24), (5, 3, 2))[0]
    late = min(5, int(draw.expovariate(1.2)))
    usage = round(draw.gauss(0, 20), 1)
    evidence = -3.2 - 0.045 * tenure + 0.025 * charge + 0.3 * calls + 0.6 * late
    evidence += 0.9 * calls if contract == 1 else -1.0  # bound by contract, they stay and call
    evidence += 3.0 if abs(usage) > 25 else 0.0  # a sudden change of habits, up or down
    return Customer((tenure, charge, calls, contract, late, usage), draw.random() < _sigmoid(evidence))


# --- scoring with the parameters in a model.json


def score(model: Mapping[str, Any], features: Sequence[float]) -> float:
    """Probability that a customer leaves.

    A model is an intercept, one coefficient for each feature (or none), and trees. A tree is the value of a
    leaf, or `[feature, threshold, tree where the feature is at most the threshold, tree where it is more]`.
    """
    linear = sum(weight * value for weight, value in zip(model["coefficients"], features, strict=False))
    return _sigmoid(model["intercept"] + linear + sum(_leaf(tree, features) for tree in model["trees"]))


def _leaf(tree: Any, features: Sequence[float]) -> float:  # noqa: ANN401 - a tree within a tree, from JSON
    while isinstance(tree, list):
        feature, threshold, low, high = tree
        tree = low if features[feature] <= threshold else high
    return float(tree)


def _sigmoid(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))


# --- measuring


def evaluate(model: Mapping[str, Any], tested: Iterable[Customer]) -> dict[str, Any]:
    """The model's quality, as SageMaker's model quality reports have it, with bootstrap standard deviations.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    scored = [Scored(customer.left, score(model, customer.features)) for customer in tested]
    metrics = (accuracy, precision, recall, f1, auc, log_loss)
    return {
        "binary_classification_metrics": {
            "confusion_matrix": {
                actual: {predicted: confusion(scored)[actual == "1", predicted == "1"] for predicted in "01"}
                for actual in "01"
            },
            **{metric.__name__: _with_deviation(metric, scored) for metric in metrics},
        }
    }


def confusion(scored: Sequence[Scored]) -> dict[tuple[bool, bool], int]:
    """How many customers by (left, predicted to leave)."""
    counts = {(left, predicted): 0 for left in (False, True) for predicted in (False, True)}
    for each in scored:
        counts[each.left, each.score >= 0.5] += 1
    return counts


def accuracy(scored: Sequence[Scored]) -> float:
    """Share of right predictions."""
    counts = confusion(scored)
    return (counts[True, True] + counts[False, False]) / len(scored)


def precision(scored: Sequence[Scored]) -> float:
    """Share of those predicted to leave who left."""
    counts = confusion(scored)
    return counts[True, True] / (counts[True, True] + counts[False, True])


def recall(scored: Sequence[Scored]) -> float:
    """Share of those who left that was predicted."""
    counts = confusion(scored)
    return counts[True, True] / (counts[True, True] + counts[True, False])


def f1(scored: Sequence[Scored]) -> float:
    """Harmonic mean of precision and recall."""
    return statistics.harmonic_mean((precision(scored), recall(scored)))


def auc(scored: Sequence[Scored]) -> float:
    """Chance that somebody who left has a higher score than somebody who stayed; a tie counts half."""
    won, stayed = 0.0, 0
    for _, ties in groupby(sorted(scored, key=lambda each: each.score), key=lambda each: each.score):
        group = list(ties)
        left = sum(each.left for each in group)
        won += left * (stayed + (len(group) - left) / 2)
        stayed += len(group) - left
    return won / (stayed * (len(scored) - stayed))


def log_loss(scored: Sequence[Scored]) -> float:
    """Mean surprise at what happened, in nats: lower is better."""
    return -statistics.fmean(math.log(each.score if each.left else 1 - each.score) for each in scored)


def latency(model: Mapping[str, Any], tested: Sequence[Customer]) -> dict[str, Any]:
    """Milliseconds to score one batch: the 95th percentile of many runs, on this machine, now."""
    times = [timed(model, tested) for _ in range(RESAMPLES)]
    return {"latency": {"p95_ms": _with_deviation(_percentile_95, times)}}


def timed(model: Mapping[str, Any], tested: Sequence[Customer]) -> float:
    """Milliseconds to score one batch, this time."""
    start = time.perf_counter()
    for customer in tested:
        score(model, customer.features)
    return (time.perf_counter() - start) * 1000


def _percentile_95(samples: Sequence[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def _with_deviation(metric: Callable[[Sequence[Any]], float], samples: Sequence[Any]) -> dict[str, float]:
    """A metric with its standard deviation over samples drawn again, with replacement (bootstrap)."""
    draw = random.Random(SEED)
    again = [metric(draw.choices(samples, k=len(samples))) for _ in range(RESAMPLES)]
    return {"value": round(metric(samples), 4), "standard_deviation": round(statistics.stdev(again), 4)}


# --- training


def fit_logistic(trained: Sequence[Customer]) -> dict[str, Any]:
    """Version 1: a logistic regression."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - only training needs it

    fitted = LogisticRegression(max_iter=5000).fit(*_columns(trained))
    coefficients = [round(float(weight), 6) for weight in fitted.coef_[0]]
    return _checked(fitted, trained, round(float(fitted.intercept_[0]), 6), coefficients=coefficients)


def fit_boosting(trained: Sequence[Customer]) -> dict[str, Any]:
    """Version 2: gradient boosting."""
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415 - as above

    settings = {"n_estimators": 40, "max_depth": 3, "learning_rate": 0.2, "random_state": SEED}
    fitted = GradientBoostingClassifier(**settings).fit(*_columns(trained))
    prior = fitted.init_.class_prior_[1]
    trees = [_nested(tree.tree_, 0, fitted.learning_rate) for tree in fitted.estimators_[:, 0]]
    return _checked(fitted, trained, round(math.log(prior / (1 - prior)), 6), trees=trees)


def _columns(drawn: Sequence[Customer]) -> tuple[list[tuple[float, ...]], list[bool]]:
    return [customer.features for customer in drawn], [customer.left for customer in drawn]


def _nested(tree: Any, node: int, rate: float) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """One of scikit-learn's trees as `score` reads it."""
    if tree.children_left[node] == tree.children_right[node]:
        return round(float(tree.value[node][0][0]) * rate, 5)
    below = (_nested(tree, child, rate) for child in (tree.children_left[node], tree.children_right[node]))
    return [int(tree.feature[node]), round(float(tree.threshold[node]), 4), *below]


def _checked(
    fitted: Any,  # noqa: ANN401 - scikit-learn has no types
    trained: Sequence[Customer],
    intercept: float,
    *,
    coefficients: Sequence[float] = (),
    trees: Sequence[Any] = (),
) -> dict[str, Any]:
    """The parameters, once they were seen to score as scikit-learn's own model does."""
    model = {
        "kind": type(fitted).__name__,
        "features": FEATURES,
        "intercept": intercept,
        "coefficients": coefficients,
        "trees": trees,
    }
    expected = fitted.predict_proba(_columns(trained)[0])[:, 1]
    apart = max(abs(score(model, each.features) - theirs) for each, theirs in zip(trained, expected, strict=True))
    if apart > 0.001:
        raise ValueError(f"the written parameters score {apart:.4f} apart from the model they were taken from")
    return model


def main() -> None:
    """Train on one draw, test on another, write both versions beside this file."""
    trained, tested = customers(TRAINING, SEED), customers(TESTING, SEED + 1)
    for version, fit in enumerate((fit_logistic, fit_boosting), start=1):
        model = fit(trained)
        report = evaluate(model, tested) | latency(model, tested[:BATCH])
        folder = Path(__file__).parent / f"churn-{version}"
        folder.mkdir(exist_ok=True)
        (folder / "model.json").write_text(json.dumps(model, separators=(",", ":")) + "\n")
        (folder / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")
        print(folder.name, json.dumps(report))


if __name__ == "__main__":
    main()
