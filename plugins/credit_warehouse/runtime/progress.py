"""Says what is being done and for how long, on a terminal and in a log file alike."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner


class Progress:
    """Steps shown as they run; on a terminal with a running clock, elsewhere one line each."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._live: Live | None = None
        self._spinner = Spinner("dots")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show `label` while the block runs, then how long it took; steps may overlap in threads."""
        started = time.monotonic()
        self._begin(label, started)
        try:
            yield
        except BaseException:
            self._end(label, f"[red]✗[/] {label} [dim]{time.monotonic() - started:.1f} s[/]")
            raise
        self._end(label, f"[green]✓[/] {label} [dim]{time.monotonic() - started:.1f} s[/]")

    def _begin(self, label: str, started: float) -> None:
        with self._lock:
            self._running[label] = started
            if self._live is None and self.console.is_terminal:
                self._live = Live(
                    get_renderable=self._picture, console=self.console, refresh_per_second=4, transient=True
                )
                self._live.start()
            elif not self.console.is_terminal:
                self.console.print(f"… {label}", highlight=False)

    def _end(self, label: str, line: str) -> None:
        with self._lock:
            self._running.pop(label, None)
            self.console.print(line, highlight=False)
            if self._live is not None and not self._running:
                self._live.stop()
                self._live = None

    def _picture(self) -> Spinner:
        now = time.monotonic()
        steps = list(self._running.items())  # other threads begin and end steps meanwhile
        self._spinner.update(text="   ".join(f"{label} {now - started:.0f} s" for label, started in steps))
        return self._spinner


def wait_until(
    ready: Callable[[], bool], what: str, *, timeout: float, alive: Callable[[], None], every: float = 0.2
) -> None:
    """Poll `ready` until it holds. `alive` raises when waiting has become pointless.

    Raises TimeoutError after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        alive()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not ready after {timeout:.0f} s")
        time.sleep(every)
