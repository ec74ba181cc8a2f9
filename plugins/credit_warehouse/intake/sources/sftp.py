"""Nightly drops on an SFTP server: one folder a day, one file per feed."""

from __future__ import annotations

import base64
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath

import paramiko

from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.sources.arrival import Arrival, Taken
from credit_warehouse.troubles import raise_if_ours

LOOKBACK_DAYS = 62
"""Older folders are not looked into again: a department that redelivers does so within two months."""

SETTLING_SECONDS = 120
"""Also allows for a department's clock that is a little off."""

_TIMEOUT = 30
_RECEIPT_LIMIT = 4096


def take(
    contract: FeedContract, business_date: date, endpoint: Endpoint, taken: Taken, scratch: Path
) -> Iterator[Arrival]:
    """Every file up to ``business_date`` that is new or has changed since it was taken, oldest first.

    Raises:
        SourceUnavailable: no connection, or it broke before a file was complete.
    """
    try:
        with session(endpoint) as sftp:
            for day in _days(sftp, contract, business_date):
                arrival = _take_day(sftp, contract, day, taken, scratch)
                if arrival is not None:
                    yield arrival
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise_if_ours(error)
        raise SourceUnavailable(
            f"{contract.department_label}的 SFTP 服务无法连接或中途断开：{error}"
        ) from error


@contextmanager
def session(endpoint: Endpoint) -> Iterator[paramiko.SFTPClient]:
    """An SFTP session, closed at the end.

    Raises:
        OSError, EOFError, paramiko.SSHException: no connection, a wrong password, or an unknown host key.
    """
    client = paramiko.SSHClient()
    # The server's key is part of the connection: an unknown key is a refusal, not a question.
    kind, key = endpoint.extra["host_key"].split()[:2]
    name = f"[{endpoint.host}]:{endpoint.port}" if endpoint.port != 22 else endpoint.host
    client.get_host_keys().add(name, kind, paramiko.PKey.from_type_string(kind, base64.b64decode(key)))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.connect(
            endpoint.host,
            endpoint.port,
            endpoint.user,
            endpoint.password,
            timeout=_TIMEOUT,
            banner_timeout=_TIMEOUT,
            auth_timeout=_TIMEOUT,
            allow_agent=False,
            look_for_keys=False,
        )
        sftp = client.open_sftp()
        channel = sftp.get_channel()
        if channel is not None:
            channel.settimeout(_TIMEOUT)
        yield sftp
    finally:
        client.close()


def _days(sftp: paramiko.SFTPClient, contract: FeedContract, business_date: date) -> list[date]:
    root = contract.terms.delivery.path.split("/{yyyymmdd}/")[0]
    days = []
    for entry in sftp.listdir_attr(root):
        try:
            day = datetime.strptime(entry.filename, "%Y%m%d").date()
        except ValueError:
            continue
        if business_date - timedelta(days=LOOKBACK_DAYS) < day <= business_date:
            days.append(day)
    return sorted(days)


def _take_day(
    sftp: paramiko.SFTPClient, contract: FeedContract, day: date, taken: Taken, scratch: Path
) -> Arrival | None:
    remote = contract.terms.delivery.path.replace("{yyyymmdd}", f"{day:%Y%m%d}")
    try:
        attributes = sftp.stat(remote)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(attributes.st_mode or 0):
        return None
    receipt = None
    if contract.terms.delivery.receipt == "sha256":
        receipt = _read_receipt(sftp, remote)
        if receipt is None:
            return None  # the sidecar is written last: without it the upload is still under way
    mark = _mark(attributes, receipt)
    if mark is not None and taken.marks.get(remote) == mark:
        return None
    local = scratch / f"{day:%Y%m%d}"
    sftp.get(remote, str(local), max_concurrent_prefetch_requests=64)
    return Arrival(local, PurePosixPath(remote).name, remote, day, mark, receipt)


def _mark(attributes: paramiko.SFTPAttributes, receipt: bytes | None) -> str | None:
    """What tells a redelivery from a file already taken: size, time, receipt.

    Times have whole seconds: a file written just now may be written again under the same mark, so it gets none and is
    looked at again next time, when its content decides.
    """
    modified = attributes.st_mtime or 0
    if abs(time.time() - modified) < SETTLING_SECONDS:
        return None
    return f"{attributes.st_size}:{modified}:{zlib.crc32(receipt or b'')}"


def _read_receipt(sftp: paramiko.SFTPClient, remote: str) -> bytes | None:
    try:
        with sftp.open(remote + ".sha256", "rb") as file:
            return file.read(_RECEIPT_LIMIT)
    except FileNotFoundError:
        return None
