"""The runs of a night as they go: a live table on a terminal, a line per finished task elsewhere."""

import time
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from credit_warehouse.runtime.airflow_api import Run, TaskInstance

_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed"})
_MARKS = {
    "success": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "skipped": "[dim]–[/]",
    "upstream_failed": "[red]↯[/]",
}


class Board:
    """Shows runs by DAG; `show` is called with every poll."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._rows: dict[str, tuple[Run, list[TaskInstance]]] = {}
        self._told: set[tuple[str, str, str, int]] = set()
        self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, run: Run, tasks: list[TaskInstance]) -> None:
        """Take in a run's newest state; tell what ended since, on a terminal only what went wrong."""
        self._rows[run.dag_id] = (run, tasks)
        for task in tasks:
            key = (run.dag_id, run.run_id, task.task_id, task.try_number)
            if task.state not in _ENDED or key in self._told:
                continue
            self._told.add(key)
            if not self._console.is_terminal or task.state == "failed":
                seconds = time.monotonic() - self._started
                line = f"{_MARKS[task.state]} {run.dag_id} · {task.label} [dim]{seconds:.0f} s[/]"
                self._console.print(line, highlight=False)

    def _picture(self) -> RenderableType:
        table = Table(box=None, pad_edge=False)
        for heading in ("DAG", "state", "tasks", "running"):
            table.add_column(heading)
        for run, tasks in self._rows.values():
            ended = sum(task.state in _ENDED for task in tasks)
            running = "、".join(task.label for task in tasks if task.state == "running")
            table.add_row(run.dag_id, run.state, f"{ended}/{len(tasks)}", running)
        return Group(table, f"[dim]{time.monotonic() - self._started:.0f} s[/]")
