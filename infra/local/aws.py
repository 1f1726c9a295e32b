"""An AWS of one's own: moto behind HTTP in this process, corrected where it differs from AWS.

    with Aws() as aws:
        aws.on_event.append(bus.put)
        aws.client("ssm").put_parameter(Name="/a", Value="1", Type="String")

moto keeps its state in the process: two `Aws` at the same time are two doors to one account.
"""

import base64
import functools
import hashlib
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.models import get_account_id_from
from moto.sagemaker.models import sagemaker_backends
from moto.sts.models import sts_backends

from infra.local import moto_corrections
from infra.local.aws_faults import AWS_ITSELF, Faults
from infra.local.aws_server import Call, Dispatcher, Endpoint, Server
from infra.local.moto_corrections import inference
from infra.local.moto_corrections.request import Event

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT, REGION = "123456789012", "us-east-1"
BOT_KEY = "LOCALBOT"
"""The access key of `client()` unless told otherwise; `CreatedBy` and `LastModifiedBy` name it."""

CLIENTS = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=64,
    s3={"addressing_style": "path"},
)

MOST_CALLS = 50_000
"""So that a server left running does not fill the memory; the older half is forgotten."""


shared_loader = functools.cache(create_loader)
"""Reads botocore's megabytes about AWS once a process: each function of the local stack has a session of its own."""


class Aws:
    """The endpoint, from `start()` to `stop()`.

    `on_event`: called with every EventBridge event, after its write took effect and before it is answered.
    `identities`: ARN of the caller by access key; otherwise the assumed role, or a user named like the key.
    `source_identities`: `SourceIdentity` by access key, for those that have one.
    `faults`: what goes wrong, by API action. `calls`: every request served, in the order of their ends.
    """

    account = ACCOUNT
    region = REGION

    def __init__(self, port: int = 0) -> None:
        """Listen on this port of 127.0.0.1, or on a free one."""
        self.on_event: list[Callable[[Event], None]] = []
        self.identities: dict[str, str] = {}
        self.source_identities: dict[str, str] = {}
        self.faults = Faults()
        self.calls: list[Call] = []
        self._port = port
        self._server: Server | None = None
        botocore.session.create_loader = shared_loader
        self._session = boto3.Session()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._making_clients = threading.Lock()

    def start(self) -> Self:
        """Correct moto, empty it, and answer requests until `stop()`."""
        moto_corrections.apply()
        self.reset()
        endpoint = Endpoint(
            Dispatcher(),
            faults=self.faults,
            identify=self._identify,
            emit=self.emit,
            record=self._record,
        )
        self._server = Server(endpoint, port=self._port)
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection; requests under way are cut off."""
        self.faults.clear()
        if self._server is not None:
            self._server.stop()
            self._server = None
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where it answers, for every service."""
        if self._server is None:
            raise RuntimeError("Aws is not started")
        return f"http://127.0.0.1:{self._server.port}"

    def client(self, service: str, *, access_key: str = BOT_KEY, region: str = REGION) -> Any:  # noqa: ANN401
        """Give one caller's boto3 client of a service: always the same one, which threads may share."""
        with self._making_clients:
            key = (service, access_key, region)
            if key not in self._clients:
                self._clients[key] = self._new_client(service, access_key, region)
            return self._clients[key]

    def _new_client(self, service: str, access_key: str, region: str) -> Any:  # noqa: ANN401
        return self._session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key="local",
            config=CLIENTS,
        )

    def reset(self) -> None:
        """Forget everything stored in AWS, and the calls; faults, identities and callbacks stay."""
        BackendDict.reset()
        reset_model_data()
        self.calls.clear()

    def backdate(self, package_arn: str, created: datetime) -> None:
        """Let a model package have been registered at another time, which no API of AWS can."""
        package = sagemaker_backends[ACCOUNT][REGION].model_packages[package_arn]
        package.creation_time = created.astimezone(UTC).replace(tzinfo=None)

    def end_transform(
        self, name: str, status: str = "Completed", *, reason: str = "", account: str = ACCOUNT, region: str = REGION
    ) -> None:
        """Let a batch transform job end, which only a machine of SageMaker's can: here nothing runs."""
        job = sagemaker_backends[account][region].transform_jobs[name]
        inference.ended(job, status, reason)
        self.emit(inference.state_of(job, account=account, region=region))

    def emit(self, event: Event) -> None:
        """Send an event to `on_event`, as if a request had caused it."""
        for callback in tuple(self.on_event):
            callback(event)

    def _record(self, call: Call) -> None:
        if call.access_key != AWS_ITSELF:
            self.calls.append(call)
        if len(self.calls) > MOST_CALLS:
            del self.calls[: MOST_CALLS // 2]

    def _identify(self, access_key: str) -> dict[str, str]:
        identity = self._identity(access_key)
        if source := self.source_identities.get(access_key):
            identity["SourceIdentity"] = source
        return identity

    def _identity(self, access_key: str) -> dict[str, str]:
        if arn := self.identities.get(access_key):
            return {"Arn": arn, "PrincipalId": principal_id(arn)}
        account = get_account_id_from(access_key)
        if role := sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key):
            return {"Arn": role.arn, "PrincipalId": principal_id(role.arn)}
        arn = f"arn:aws:iam::{account}:user/{access_key}"
        return {"Arn": arn, "PrincipalId": principal_id(arn)}


def principal_id(arn: str) -> str:
    """Derive the principal id from an ARN: `AIDA…` of a user, `AROA…:session` of an assumed role."""
    role = re.fullmatch(r"(arn:[^:]+:sts::\d+:assumed-role/.+)/([^/]+)", arn)
    name, prefix, suffix = (role[1], "AROA", f":{role[2]}") if role else (arn, "AIDA", "")
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()
    return f"{prefix}{digest[:17]}{suffix}"
