"""Every setting of the warehouse, read once from the environment.

``make up`` writes ``$CREDIT_HOME/runtime.env``; a server gets the same names from its own environment, which wins.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Names are ``CREDIT_<FIELD>`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="CREDIT_", extra="ignore")

    home: Path = PROJECT_DIR / "var"
    project_dir: Path = PROJECT_DIR
    database_url: SecretStr | None = None
    """libpq URL of the warehouse, with password."""
    pepper: SecretStr | None = None
    """Secret of the subject keys (ARCHITECTURE decision 6). Losing it means new keys for everybody."""
    timezone: str = "Asia/Shanghai"
    nightly_schedule: str = "0 1 * * *"
    """Cron of the intake, in ``timezone``; ``off`` = only when triggered."""
    publication_deadline: str = "0 6 * * *"
    """Cron after which publication no longer waits for a source; ``off`` = wait for every answer."""
    log_keep_days: int = 200
    """Task logs are kept at least six months (网络安全法 §21, DOMAIN.md §4.4)."""
    backup_dir: Path | None = None
    """Folder of backups and of the archived log; best on another machine's disk. Default: ``backups`` in the home."""
    backup_keep: int = 14
    """So many backups are kept; the log is kept from the oldest of them on."""
    clock: Literal["calendar", "nights"] = "calendar"
    """The legal day, by which records leave the readers' views on their own: today, or the newest night (the demo)."""
    city: str = "huizhou"
    """The city this office is of: a file of ``cities/``. Departments, districts, deadlines and plans are the city's."""
    pull_retries: int = 4
    pull_retry_seconds: int = 300
    """Pause before the second try of a pull; it doubles from there."""
    pull_connections: int = 3
    """Feeds of a source that are asked for at the same time; departments' servers are not to be flooded."""
    upward_platform: str = "province"
    """Platform that packages of double-publicity records go up to; also the name of its connection."""
    upward_receipt_seconds: int = 60
    """How long a run waits for receipts; later ones are picked up by the next run."""
    lock_timeout_seconds: int = 600
    """How long a step waits for a lock somebody else holds before it fails and says so."""
    intake_memory_mb: int = 192
    """What DuckDB may use to parse and check a file of any size; the process takes about 300 MB on top."""
    intake_threads: int = 1
    """Per feed: feeds load side by side, and each thread wants its own buffers."""
    max_unpacked_mb: int = 8192
    """A delivery that unpacks to more than this is taken for a zip bomb."""
    max_workbook_mb: int = 256
    """The same for workbooks, whose texts must be held in memory while reading: more rows come as CSV."""

    @property
    def catalogue_dir(self) -> Path:
        return self.project_dir / "catalogue"

    @property
    def cities_dir(self) -> Path:
        return self.project_dir / "cities"

    @property
    def plans_dir(self) -> Path:
        return self.project_dir / "plans"

    @property
    def appraisal_file(self) -> Path:
        return self.project_dir / "appraisal" / "sheet.yaml"

    @property
    def metrics_file(self) -> Path:
        return self.project_dir / "metrics" / "metrics.yaml"

    @property
    def queries_dir(self) -> Path:
        return self.project_dir / "queries"

    @property
    def contracts_dir(self) -> Path:
        return self.project_dir / "contracts"

    @property
    def dbt_project_dir(self) -> Path:
        return self.project_dir / "dbt_project"

    @property
    def landing_dir(self) -> Path:
        return self.home / "landing"

    @property
    def backups_dir(self) -> Path:
        return self.backup_dir or self.home / "backups"

    @property
    def archive_dir(self) -> Path:
        """Publications past their time in the marts."""
        return self.home / "archive"

    @property
    def upward_dir(self) -> Path:
        return self.home / "upward"

    @property
    def feedback_dir(self) -> Path:
        return self.home / "feedback"

    @property
    def scratch_dir(self) -> Path:
        return self.home / "scratch"

    @property
    def dbt_target_dir(self) -> Path:
        return self.home / "dbt"

    @property
    def bulletins_dir(self) -> Path:
        return self.home / "bulletins"

    @property
    def dictionary_dir(self) -> Path:
        return self.home / "dictionary"

    @property
    def data_docs_dir(self) -> Path:
        return self.home / "data_docs"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process."""
    home = Path(os.environ.get("CREDIT_HOME", PROJECT_DIR / "var"))
    return Settings(_env_file=home / "runtime.env")
