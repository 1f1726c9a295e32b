"""Where the AWS console shows a model package and its report: the console of its own partition and region."""

import re
from urllib.parse import quote

from bot.text import LONGEST

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}
_PACKAGE = re.compile(
    r"arn:(?P<partition>[a-z-]+):sagemaker:(?P<region>[a-z0-9-]+):\d{12}:model-package/(?P<name>[A-Za-z0-9-]+/\d+)"
)
_OBJECT = re.compile(r"s3://(?P<bucket>[a-z0-9.-]{3,63})/(?P<key>.+)", re.DOTALL)


def package_link(arn: str) -> str:
    """The console's page of a model package, or nothing where the partition has no public console."""
    found = _PACKAGE.fullmatch(arn)
    console = CONSOLES.get(found["partition"]) if found else None
    if not found or not console:
        return ""
    return f"https://{console}/sagemaker/home?region={found['region']}#/model-packages/{found['name']}"


def report_link(uri: str, *, arn: str) -> str:
    """The console's page of an evaluation report in S3; nothing for other addresses: they are unchecked."""
    package, report = _PACKAGE.fullmatch(arn), _OBJECT.fullmatch(uri)
    console = CONSOLES.get(package["partition"]) if package else None
    if not package or not report or not console:
        return ""
    region, key = package["region"], quote(report["key"], safe="/", errors="replace")
    url = f"https://{console}/s3/object/{report['bucket']}?region={region}&prefix={key}"
    return url if len(url) <= LONGEST else ""
