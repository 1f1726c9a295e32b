"""Where the Bot Connector may be: nothing is sent to any other address, and so no token either."""

import re
from collections.abc import Iterable

PATH = r"/[A-Za-z0-9-]{2,40}(?:/[A-Za-z0-9-]+)?/?"
"""A region or cloud, such as `/emea/`, and perhaps a tenant."""
LONGEST = 200


class Services:
    """The hosts that a service URL may have, each with a port if it is not 443."""

    def __init__(self, hosts: Iterable[str]) -> None:
        names = "|".join(re.escape(host) for host in hosts)
        self._allowed = re.compile(rf"https://(?:{names}){PATH}" if names else r"(?!)")

    def allow(self, url: object) -> bool:
        """Whether a service URL is, letter by letter, one of ours: nothing is parsed, so nothing is read twice."""
        return isinstance(url, str) and len(url) <= LONGEST and self._allowed.fullmatch(url) is not None
