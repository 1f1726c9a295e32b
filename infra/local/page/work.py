"""What pipelines do, at the press of a button: register a version, run batch inference; and the sweep's schedule."""

import fnmatch
from collections.abc import Hashable, Mapping

from botocore.exceptions import ClientError

from bot.domain import GROUP
from infra.local import models
from infra.local.models import PIPELINE
from infra.local.page.pane import Act, Json, Mistaken
from infra.local.page.people import PeoplePane
from infra.local.stack import Stack

FAILURE = "AlgorithmError: the container ran out of memory"
OUTCOMES = {"good": "as good as in its test", "worse": "worse: two columns arrive empty", "failing": "the job fails"}
"""What a run may come to, by its name."""


class WorkPane:
    """The pipelines' part."""

    name = "work"

    def __init__(self, stack: Stack, people: PeoplePane) -> None:
        self._stack, self._people, self._policy = stack, people, people.policy
        self.acts: Mapping[str, Act] = {"register": self._register, "infer": self._infer, "sweep": self._sweep}

    def version(self) -> Hashable:
        """What can be chosen is always the same."""
        return 0

    def seen_by(self, _: str) -> Json:
        """What can be chosen."""
        return {
            "samples": models.samples(),
            "environments": [rule.name for rule in self._policy.environments],
            "outcomes": OUTCOMES,
            "governed": list(self._policy.groups),
        }

    def _register(self, user: str, given: Json) -> Json:
        """Register a sample's version, in the name of whoever pressed."""
        self._stack.aws.source_identities[PIPELINE] = self._people.address(user)
        group, sample = given["group"].strip(), given["sample"]
        if not GROUP.fullmatch(group):
            raise Mistaken(f"Nothing was registered: SageMaker takes letters, digits and single dashes, not “{group}”.")
        if sample not in models.samples():
            raise Mistaken(
                f"Nothing was registered: there is no sample {sample}; there are {', '.join(models.samples())}."
            )
        try:
            made = self._stack.pipeline.register(group, sample)
        except ClientError as refused:
            raise Mistaken(f"Nothing was registered: {refused}") from refused
        said = f"{made.group} v{made.version} is registered."
        if not any(fnmatch.fnmatchcase(made.group, pattern) for pattern in self._policy.groups):
            said += f" Nobody is asked: the policy governs {', '.join(self._policy.groups)} alone."
        return {"said": said}

    def _infer(self, _: str, given: Json) -> Json:
        """Let batch inference run with what is approved."""
        group, environment, outcome = given["group"].strip(), given["environment"], given["outcome"]
        if outcome not in OUTCOMES:
            raise Mistaken(f"There is no outcome {outcome}; there are {', '.join(OUTCOMES)}.")
        failure = FAILURE if outcome == "failing" else ""
        try:
            run = self._stack.inference.run(group, environment, failure=failure, drifted=outcome == "worse")
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "ParameterNotFound":
                raise Mistaken(f"Batch inference could not run: {refused}") from refused
            raise Mistaken(
                f"Nothing of {group} is approved for {environment} yet, so nothing can run there."
            ) from refused
        return {"said": f"{run} has {'failed' if failure else 'run'} in {environment}."}

    def _sweep(self, _: str, __: Json) -> Json:
        """Do now what the schedule does every five minutes."""
        self._stack.sweeping.fire()
        return {"said": "The sweep looks after everything that was left undone."}
