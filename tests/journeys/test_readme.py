"""README.md and docs, tried: what is typed there prints what it is said to, from a page's first block to its last."""

from itertools import groupby

import pytest

from infra.local import run
from infra.local.stack import Stack
from tests.documentation import blocks
from tests.journeys.people import approve, link, registered
from tests.journeys.reader import Reader, lacks_a_command

RUN, SECOND, *FURTHER = blocks("console", "python")
TRIED = {page: list(found) for page, found in groupby(FURTHER, lambda each: each.page)}


@pytest.fixture(scope="module")
def stack():
    """The shipped policy."""
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def reader(stack, tmp_path_factory):
    """Somebody has taken v1 to prod and v2 to dev, with the runs between, as the first two blocks of README.md say."""
    stack.aws.source_identities["LOCALPIPELINE"] = run.REQUESTER
    first = registered(stack, "churn")
    link(stack, "U0MAYA", "U0PRIYA")
    somebody = Reader(stack, tmp_path_factory.mktemp("bin"), exports=RUN)
    approve(stack, first)
    somebody.tries(RUN)
    stack.settle()
    for environment, user in (("test", "U0OMAR"), ("uat", "U0MAYA")):
        approve(stack, first, environment, user)
        somebody.printed(f"python -m infra.local.inference churn {environment}")
        stack.settle()
    approve(stack, first, "prod", "U0PRIYA")
    somebody.tries(SECOND)
    stack.settle()
    approve(stack, type(first)("churn", 2, first.arn[:-1] + "2"))
    somebody.tries(RUN)
    stack.settle()
    return somebody


def test_what_a_page_says_to_type_prints_what_it_says(reader, stack, subtests):
    """In one test: what the reader has done before takes longer than all the pages."""
    for page, found in TRIED.items():
        for block in found:
            with subtests.test(page, block=str(block)):
                if lacks_a_command(block):
                    pytest.skip("not on the PATH: aws")
                reader.tries(block)
            stack.settle()
