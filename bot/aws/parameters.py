"""Parameter Store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.aws.limits import check_asked, check_name, check_value
from bot.ports import Parameter, Stored, Written

NAMES = 10
"""Names in one GetParameters, and values on one page of GetParametersByPath."""
VERSIONS = DESCRIBED = 50
"""On one page of GetParameterHistory and of DescribeParameters."""


class SsmParameters:
    """`ports.Parameters`: String parameters, Intelligent-Tiering, never more than a Standard one holds."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        """Read one to ten names in one call, keyed as asked for: `/a/b`, or `/a/b:3` for its third version.

        What does not exist, or no longer, is left out. `ValueError` for another number of names, a bug of the caller.
        """
        asked = tuple(dict.fromkeys(names))
        if not 1 <= len(asked) <= NAMES:
            raise ValueError(f"GetParameters takes 1 to {NAMES} names, not {len(asked)}")
        for name in asked:
            check_asked(name)
        with unavailable("ssm:GetParameters"):
            answer = self._clients("ssm").get_parameters(Names=list(asked))
        found = {(each["Name"], each["Version"]): each["Value"] for each in answer["Parameters"]}
        keys = {name: _key(name, found) for name in asked}
        return {name: Parameter(found[key], key[1]) for name, key in keys.items() if key in found}

    def create(self, name: str, value: str) -> bool:
        """Create if absent. Where the answer to a first attempt was lost, the second says `False`: look who it was."""
        try:
            self._put(name, value, overwrite=False)
        except ClientError as error:
            if code_of(error) == "ParameterAlreadyExists":
                return False
            raise
        return True

    def put(self, name: str, value: str) -> int:
        """Write, and return the number of the version written."""
        return int(self._put(name, value, overwrite=True)["Version"])

    def delete(self, name: str) -> None:
        """Remove; a name that is not there is fine."""
        check_name(name)
        try:
            with unavailable("ssm:DeleteParameter"):
                self._clients("ssm").delete_parameter(Name=name)
        except ClientError as error:
            if code_of(error) != "ParameterNotFound":
                raise

    def written(self, name: str) -> Sequence[Written]:
        """Every version that AWS still keeps, at most 100: two calls."""
        check_name(name)
        found: list[Written] = []
        more: dict[str, Any] = {}
        try:
            while True:
                with unavailable("ssm:GetParameterHistory"):
                    page = self._clients("ssm").get_parameter_history(Name=name, MaxResults=VERSIONS, **more)
                found += [
                    Written(each["Value"], each.get("LastModifiedUser", ""), each["Version"])
                    for each in page["Parameters"]
                ]
                if not page.get("NextToken"):
                    return found
                more = {"NextToken": page["NextToken"]}
        except ClientError as error:
            if code_of(error) != "ParameterNotFound":
                raise
        return []

    def below(self, path: str) -> Iterable[Stored]:
        """Every name below a path; a page may be empty and yet not be the last."""
        check_name(path)
        more: dict[str, Any] = {}
        while True:
            with unavailable("ssm:GetParametersByPath"):
                page = self._clients("ssm").get_parameters_by_path(Path=path, Recursive=True, MaxResults=NAMES, **more)
            for each in page["Parameters"]:
                yield Stored(each["Name"], each["Value"], each["Version"], each.get("LastModifiedDate"))
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def counted(self) -> int:
        """One call for each fifty."""
        found, more = 0, dict[str, Any]()
        while True:
            with unavailable("ssm:DescribeParameters"):
                page = self._clients("ssm").describe_parameters(MaxResults=DESCRIBED, **more)
            found += len(page["Parameters"])
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    def _put(self, name: str, value: str, *, overwrite: bool) -> Any:  # noqa: ANN401 - AWS's answer
        check_name(name)
        check_value(name, value)
        with unavailable("ssm:PutParameter"):
            return self._clients("ssm").put_parameter(
                Name=name, Value=value, Type="String", Tier="Intelligent-Tiering", Overwrite=overwrite
            )


def _key(asked: str, found: Iterable[tuple[str, int]]) -> tuple[str, int]:
    """AWS answers with the bare name and the version; what is asked for without one is the newest."""
    name, _, version = asked.partition(":")
    return name, int(version) if version else max((number for each, number in found if each == name), default=0)
