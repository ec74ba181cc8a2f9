"""How a department's system is reached, whoever keeps the secret (Airflow, a test, a shell)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Endpoint:
    """One address with its credentials. ``extra`` holds what a protocol needs on top:
    ``host_key`` (sftp, OpenSSH public key line), ``database`` (exchange), ``token_path`` (rest)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    extra: dict[str, str] = field(default_factory=dict)
