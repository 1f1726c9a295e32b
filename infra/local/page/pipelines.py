"""What pipelines do, at the press of a button: register a version, run batch inference; and the sweep's schedule."""

import fnmatch
import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError

from bot.domain import GROUP
from infra.local import models
from infra.local.inference import NothingApproved
from infra.local.models import PIPELINE
from infra.local.page.pane import Act, Json, Mistaken, Pane
from infra.local.page.people import PeoplePane
from infra.local.stack import Stack

FAILURE = "AlgorithmError: the container ran out of memory"
OUTCOMES = {"good": "as good as in its test", "worse": "worse: two columns arrive empty", "failing": "the job fails"}
"""What a run may come to, by its name."""


class PipelinesPane(Pane):
    """The pipelines' part."""

    name = "pipelines"

    def __init__(self, stack: Stack, people: PeoplePane) -> None:
        self._stack, self._people, self._policy = stack, people, people.policy
        self._registering = threading.Lock()
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
        }

    def _register(self, user: str, given: Json) -> Json:
        """Register a sample's version, in the name of whoever pressed."""
        group, sample = given["group"].strip(), given["sample"]
        if not GROUP.fullmatch(group):
            raise Mistaken(f"Nothing was registered: SageMaker takes letters, digits and single dashes, not “{group}”.")
        if sample not in models.samples():
            raise Mistaken(
                f"Nothing was registered: there is no sample {sample}; there are {', '.join(models.samples())}."
            )
        try:
            with self._in_the_name_of(self._people.address(user)):
                made = self._stack.pipeline.register(group, sample)
        except ClientError as refused:
            raise Mistaken(f"Nothing was registered: {refused}") from refused
        said = f"{made.group} v{made.version} is registered."
        if not any(fnmatch.fnmatchcase(made.group, pattern) for pattern in self._policy.groups):
            said += f" Nobody is asked: the policy governs {', '.join(self._policy.groups)} alone."
        return {"said": said}

    @contextmanager
    def _in_the_name_of(self, address: str) -> Iterator[None]:
        """Let the pipeline be known to AWS as started by somebody, for one registration at a time."""
        names = self._stack.aws.source_identities
        with self._registering:
            before = names.get(PIPELINE, "")
            names[PIPELINE] = address
            try:
                yield
            finally:
                names[PIPELINE] = before

    def _infer(self, _: str, given: Json) -> Json:
        """Let batch inference run with what is approved."""
        group, environment, outcome = given["group"].strip(), given["environment"], given["outcome"]
        if outcome not in OUTCOMES:
            raise Mistaken(f"There is no outcome {outcome}; there are {', '.join(OUTCOMES)}.")
        failure = FAILURE if outcome == "failing" else ""
        try:
            run = self._stack.inference.run(group, environment, failure=failure, drifted=outcome == "worse")
        except NothingApproved as missing:
            raise Mistaken(str(missing)) from missing
        after = "asks for nothing" if failure else "a card asks for what comes next, unless that was asked for before"
        return {"said": f"{run} has {'failed' if failure else 'run'} in {environment}: {after}."}

    def _sweep(self, _: str, __: Json) -> Json:
        """Do now what the schedule does every five minutes."""
        self._stack.sweeping.fire()
        return {"said": "The sweep looks after everything that was left undone."}
