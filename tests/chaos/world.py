"""The small city all scenarios share: database server, departments, and the state after the first night each starts from."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import LiteralString

import httpx
import psutil
import psycopg
from psycopg import sql

from credit_warehouse.connections import Endpoint
from credit_warehouse.runtime.embedded import EmbeddedPostgres
from credit_warehouse.runtime.processes import Component, Supervisor
from credit_warehouse.runtime.progress import wait_until
from simulator import answer_key
from simulator import config as configuration
from simulator.answer_key import NightKey
from simulator.client import Client
from tests.chaos import killing

FIRST, NIGHT = date(2026, 3, 2), date(2026, 3, 3)
CITY = {"seed": 11, "enterprises": 120, "persons": 120, "tax": {"busy_share": 0}}
SFTP_SOURCES = ("court", "market_regulation", "data_administration")
_BASE, _RUN, _EXCHANGE = "base", "night", "exchange"
_SIMULATOR = "simulator"


class World:
    """Everything below ``home``: ``postgres/``, ``simulator/``, ``base/`` (what a scenario starts from), ``night/`` (the
    scenario's CREDIT_HOME). A home that was left behind with its base is started again as it is."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.run_home = home / "night"
        self.server = EmbeddedPostgres(home / "server", durable=False)
        self._supervisor = Supervisor(home)
        self._healing = threading.Lock()
        self._departments = home / _SIMULATOR
        self._config = configuration.ensure(self._departments, **CITY)

    # -- life cycle -----------------------------------------------------------------------------------

    @property
    def has_base(self) -> bool:
        """Whether the first night was played here already."""
        return (self.home / "base").exists()

    def make(self) -> None:
        """Server and departments, the deliveries of both nights, and an empty warehouse without tables."""
        self.server.start()
        # Killing a process spares the page cache, so fsync may stay off; what was committed must have been written.
        for setting in ("synchronous_commit = on", "full_page_writes = on"):
            self._admin(f"alter system set {setting}")
        self._admin("select pg_reload_conf()")
        self.server.create_database(_EXCHANGE)
        self.revive()
        self.departments.advance(NIGHT)
        self._admin(f"create database {_RUN}")
        self.run_home.mkdir(exist_ok=True)

    def keep_as_base(self) -> None:
        """What the warehouse is now is what every scenario starts from."""
        self._admin(f"alter database {_RUN} rename to {_BASE}")
        for source in SFTP_SOURCES:
            self.keep(source)
        self.run_home.rename(self.home / "base")

    def reset(self) -> None:
        """Back to the base: a fresh copy of database and home, departments up, without faults and without feedback."""
        self.revive()
        self.departments.clear()
        for source in SFTP_SOURCES:
            self.upload(source)
        self._admin(f"drop database if exists {_RUN} with (force)")
        self._admin(f"create database {_RUN} template {_BASE} strategy file_copy")
        with psycopg.connect(self.server.admin_url(_EXCHANGE), autocommit=True) as connection:
            connection.execute("truncate exchange.feedback")
        for folder in (
            *(self._departments / s / "feedback" for s in SFTP_SOURCES),
            self._departments / "tax_feedback",
        ):
            for entry in folder.glob("*"):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.rmtree(self.run_home, ignore_errors=True)
        shutil.copytree(self.home / "base", self.run_home, dirs_exist_ok=True)

    def revive(self) -> None:
        """What the runtime's supervisor does after an accident: start whatever does not run."""
        with self._healing:
            self.server.start()
            command = [sys.executable, "-m", "simulator", "serve", "--home", str(self._departments)]
            command += ["--exchange-url", self.server.admin_url(_EXCHANGE)]
            started = self._supervisor.start(Component(_SIMULATOR, command), {"PATH": "/usr/bin:/bin"})
            if started:
                wait_until(
                    self._departments_answer,
                    _SIMULATOR,
                    timeout=120,
                    alive=lambda: self._supervisor.require_running(_SIMULATOR),
                )

    def stop(self) -> None:
        """Stop everything; data stays."""
        self._supervisor.stop([_SIMULATOR])
        self.server.stop()

    def destroy(self) -> None:
        """Stop everything and leave no data."""
        self._supervisor.stop([_SIMULATOR])
        self.server.destroy()
        shutil.rmtree(self.home, ignore_errors=True)

    # -- addresses ------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The scenario's warehouse."""
        return self.server.admin_url(_RUN)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a step's process is to find in its environment."""
        return {
            "CREDIT_DATABASE_URL": self.url,
            "CREDIT_HOME": str(self.run_home),
            "CREDIT_PEPPER": "pepper-of-the-tests",
            "CREDIT_CLOCK": "nights",
        }

    @property
    def departments(self) -> Client:
        return Client.of(self._departments)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """How to reach each department, by source."""
        config = self._config
        return {
            **{
                source: Endpoint(
                    "sftp", config.host, sftp.port, sftp.user, sftp.password, {"host_key": sftp.host_key}
                )
                for source, sftp in config.sftp.items()
            },
            "tax": Endpoint(
                "http", config.host, config.tax.port, config.tax.client_id, config.tax.client_secret
            ),
            "social_security": Endpoint(
                "postgres",
                "127.0.0.1",
                self.server.port,
                config.exchange.user,
                config.exchange.password,
                {"database": _EXCHANGE},
            ),
        }

    def dropped(self, source: str) -> list[Path]:
        """The files an SFTP department has laid out for the night; beside them lies what was returned to it."""
        found = self._departments.glob(f"{source}/*/{NIGHT:%Y%m%d}/*")
        return sorted(file for file in found if file.parent.parent.name != "feedback")

    def keep(self, source: str) -> None:
        """Remember what the department laid out, for uploads to come."""
        for file in self.dropped(source):
            kept = self._kept / file.relative_to(self._departments)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, kept)

    def upload(self, source: str) -> None:
        """The department uploads what is missing or not as it should be: the right bytes at a later time."""
        for kept in (file for file in (self._kept / source).rglob("*") if file.is_file()):
            file = self._departments / kept.relative_to(self._kept)
            if not file.exists() or file.read_bytes() != kept.read_bytes():
                shutil.copyfile(kept, file)

    @property
    def _kept(self) -> Path:
        return self.home / "delivered"

    @property
    def answer_key(self) -> NightKey:
        """What the departments say the night must become."""
        return answer_key.load_night(self._departments, NIGHT)

    def kill_departments(self) -> None:
        """SIGKILL every department's server at once: they are one process."""
        listening = (self._config.control.port, psutil.CONN_LISTEN)
        for connection in psutil.net_connections("tcp"):
            if (connection.laddr.port, connection.status) == listening and connection.pid:
                killing.kill_tree(connection.pid)

    def _departments_answer(self) -> bool:
        try:
            return httpx.get(
                f"http://{self._config.host}:{self._config.control.port}/health", trust_env=False
            ).is_success
        except httpx.HTTPError:
            return False

    def _admin(self, statement: LiteralString) -> None:
        with psycopg.connect(self.server.admin_url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement))
