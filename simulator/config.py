"""``simulator.json``: addresses and credentials of one simulator, made once and kept."""

from __future__ import annotations

import os
import secrets
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from credit_warehouse.runtime import ports
from simulator.city import FIRST_NIGHT
from simulator.faults import PLATFORM
from simulator.servers.sftp import ensure_host_key

FILE = "simulator.json"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _secret() -> str:
    return secrets.token_urlsafe(18)


class Sftp(_Section):
    """One SFTP server; ``host_key`` is its public key, filled in when the server's key is made."""

    port: int = Field(default_factory=ports.reserve)
    user: str
    password: str = Field(default_factory=_secret)
    host_key: str = ""


class CourtSftp(Sftp):
    user: str = "court"


class MarketSftp(Sftp):
    user: str = "market"


class DataSftp(Sftp):
    user: str = "registers"


class PlatformSftp(Sftp):
    user: str = "city"


class Tax(_Section):
    port: int = Field(default_factory=ports.reserve)
    client_id: str = "credit-office"
    client_secret: str = Field(default_factory=_secret)
    token_seconds: int = 300
    page_size: int = 200
    busy_share: float = 0.05


class ExchangeReader(_Section):
    """The role the credit office reads the exchange database with."""

    user: str = "exchange_reader"
    password: str = Field(default_factory=_secret)


class Control(_Section):
    port: int = Field(default_factory=ports.reserve)
    token: str = Field(default_factory=_secret)


class Config(_Section):
    """Everything a client or the credit office needs to reach this simulator. A file may give any part of it."""

    host: str = "127.0.0.1"
    city: str = "huizhou"
    """A file of ``cities/``."""
    seed: int = 2026
    enterprises: int = 2_000
    persons: int = 3_000
    first_night: date = FIRST_NIGHT
    court: CourtSftp = Field(default_factory=CourtSftp)
    market_regulation: MarketSftp = Field(default_factory=MarketSftp)
    data_administration: DataSftp = Field(default_factory=DataSftp)
    province: PlatformSftp = Field(default_factory=PlatformSftp)
    tax: Tax = Field(default_factory=Tax)
    exchange: ExchangeReader = Field(default_factory=ExchangeReader)
    control: Control = Field(default_factory=Control)

    @property
    def sftp(self) -> dict[str, Sftp]:
        """The SFTP servers, by source."""
        return {
            "court": self.court,
            "market_regulation": self.market_regulation,
            "data_administration": self.data_administration,
        }


def read(home: Path) -> Config:
    """The configuration of the simulator at ``home``.

    Raises:
        FileNotFoundError: nothing was ever started there.
        pydantic.ValidationError: the file is not understood.
    """
    return Config.model_validate_json((home / FILE).read_text(encoding="utf-8"))


def ensure(home: Path, **given: object) -> Config:
    """The configuration at ``home``, completed where parts are missing and written back, readable by its owner only.

    Args:
        given: top-level values for a simulator that has none yet; what the file says wins.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (home / FILE).exists():
        config = read(home)
    else:
        config = Config.model_validate({name: value for name, value in given.items() if value is not None})
    for source, section in {**config.sftp, PLATFORM: config.province}.items():
        section.host_key = ensure_host_key(key_path(home, source))
    _write_private(home / FILE, config.model_dump_json(indent=2))
    return config


def key_path(home: Path, source: str) -> Path:
    """Private host key of a department's SFTP server."""
    return home / "keys" / source


def _write_private(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with os.fdopen(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    partial.replace(path)
