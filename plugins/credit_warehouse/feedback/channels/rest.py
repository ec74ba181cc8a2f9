"""An upload to the department's HTTP API, which answers with a receipt number."""

from __future__ import annotations

from contextlib import ExitStack

import httpx

from credit_warehouse.connections import Endpoint
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.feedback.address import Address
from credit_warehouse.feedback.channels.handover import FeedbackRefused, Handover
from credit_warehouse.feedback.package import Package
from credit_warehouse.intake.sources.rest import Api

_TIMEOUT = httpx.Timeout(30, read=300)


def send(package: Package, address: Address, endpoint: Endpoint) -> Handover:
    """One multipart request: the manifest and its files. Sent again, the answer is the same receipt.

    Raises:
        SourceUnavailable: no connection, busy beyond patience, or an answer that is none.
        FeedbackRefused: the API says that it does not take the package.
    """
    base = f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}"
    try:
        with httpx.Client(base_url=base, timeout=_TIMEOUT) as http, ExitStack() as stack:
            parts = [
                (
                    "manifest" if path == package.manifest else "file",
                    (path.name, stack.enter_context(path.open("rb"))),
                )
                for path in (package.manifest, *package.files)
            ]
            response = Api(http, endpoint).request("POST", address.path, files=parts)
        if response.is_client_error:
            raise FeedbackRefused(f"接口拒收（HTTP {response.status_code}）：{response.text[:500]}")
        response.raise_for_status()
        return Handover(
            f"{base}{address.path}/{package.heading.package_no}", str(response.json()["receipt_no"])
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise SourceUnavailable(f"接口无法访问或返回异常：{error!r}") from error
