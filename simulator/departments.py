"""All department systems in one process: servers, back office, control endpoint."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

from simulator import config as configuration
from simulator.config import Config
from simulator.exchange import Exchange
from simulator.faults import PLATFORM, Fault
from simulator.feedback import Inbox
from simulator.feeds import SOURCES
from simulator.office import Office
from simulator.platform import Platform
from simulator.servers.control import control_app
from simulator.servers.http import HttpServer
from simulator.servers.platform import PlatformServer
from simulator.servers.sftp import SftpServer
from simulator.servers.tax import TaxApi

SERVED = (*SOURCES, PLATFORM)


class Departments:
    """The five departments and the provincial platform, startable and stoppable.

    Args:
        home: where configuration, state and files live.
        exchange_url: admin URL of the exchange database; without it social security serves nothing.
        sources: which departments to start.
    """

    def __init__(
        self, home: Path, config: Config, exchange_url: str | None = None, sources: tuple[str, ...] = SERVED
    ) -> None:
        self.config = config
        exchange = None
        if exchange_url and "social_security" in sources:
            exchange = Exchange(exchange_url, config.exchange.user, config.exchange.password)
        self.office = Office(home, config, exchange)
        board = self.office.board
        self._servers: dict[str, SftpServer | HttpServer] = {}
        for source, section in config.sftp.items():
            if source in sources:
                self._servers[source] = SftpServer(
                    source=source,
                    root=self.office.root(source),
                    host=config.host,
                    port=section.port,
                    user=section.user,
                    password=section.password,
                    host_key=configuration.key_path(home, source),
                    board=board,
                )
        self.platform = Platform(home / PLATFORM, board)
        if PLATFORM in sources:
            self._servers[PLATFORM] = PlatformServer(
                source=PLATFORM,
                root=self.platform.root,
                host=config.host,
                port=config.province.port,
                user=config.province.user,
                password=config.province.password,
                host_key=configuration.key_path(home, PLATFORM),
                board=board,
                platform=self.platform,
            )
        if "tax" in sources:
            api = TaxApi(
                store=self.office.store,
                board=board,
                inbox=Inbox(home / "tax_feedback"),
                client_id=config.tax.client_id,
                client_secret=config.tax.client_secret,
                token_seconds=config.tax.token_seconds,
                page_size=config.tax.page_size,
                seed=config.seed,
                busy_share=config.tax.busy_share,
            )
            self._servers["tax"] = HttpServer(api.app(), config.host, config.tax.port)
        self._control = HttpServer(control_app(self, config.control.token), config.host, config.control.port)

    async def start(self) -> None:
        """Start every department that is not armed to be down, then the control endpoint."""
        await asyncio.to_thread(self.office.prepare)
        self.platform.prepare()
        for source in SERVED:
            await self._follow(source)
        await self._control.start()

    async def stop(self) -> None:
        """Stop everything and keep the state."""
        await self._control.stop()
        for server in self._servers.values():
            await server.stop()
        await asyncio.to_thread(self.office.close)

    async def advance(self, through: date) -> list[date]:
        """Generate nights up to ``through``; the business dates that were new."""
        keys = await asyncio.to_thread(self.office.advance, through)
        return [key.business_date for key in keys]

    async def redeliver(self, feed: str, day: date) -> None:
        """See ``Office.redeliver``."""
        await asyncio.to_thread(self.office.redeliver, feed, day)

    async def arm(self, fault: Fault) -> None:
        """Arm a fault; a department that goes down does so before this returns."""
        self.office.board.arm(fault)
        await self._settle(fault.source)

    async def clear(self, source: str | None) -> None:
        """Disarm the faults of one source or of all; what was down is up again when this returns."""
        self.office.board.clear(source)
        await self._settle(source)

    def describe(self) -> dict[str, Any]:
        """Generated nights, armed faults, deliveries still spoilt, addresses."""
        office, servers = self.office, self._servers
        return {
            "seed": self.config.seed,
            "enterprises": self.config.enterprises,
            "persons": self.config.persons,
            "first_night": self.config.first_night.isoformat(),
            "generated_through": str(office.state.generated_through)
            if office.state.generated_through
            else None,
            "armed": [fault.model_dump(mode="json") for fault in office.board.armed()],
            "spoilt": [struck.model_dump(mode="json") for struck in office.state.struck],
            "ports": {source: server.port for source, server in servers.items()},
            "exchange": office.exchange is not None,
        }

    async def _settle(self, source: str | None) -> None:
        for changed in SERVED if source is None else (source,):
            await self._follow(str(changed))
        await asyncio.to_thread(self.office.save_state)

    async def _follow(self, source: str) -> None:
        """Start or stop a department as the board says."""
        fault = self.office.board.down(source)
        if source == "social_security":
            if self.office.exchange is not None:
                await asyncio.to_thread(self.office.exchange.set_reachable, fault is None)
                refuses = self.office.board.refuses_feedback(source)
                await asyncio.to_thread(self.office.exchange.set_feedback, not refuses)
            return
        server = self._servers.get(source)
        if server is None:
            return
        if fault is None or fault.mode == "503":
            await server.start()
        else:
            await server.stop()
