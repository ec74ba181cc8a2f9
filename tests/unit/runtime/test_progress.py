"""What a person sees while things start."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from rich.console import Console

from credit_warehouse.runtime.progress import Progress


@pytest.mark.parametrize("terminal", [True, False])
def test_steps_say_when_they_begin_and_how_they_end(terminal: bool) -> None:
    output = StringIO()
    progress = Progress(Console(file=output, force_terminal=terminal, width=100))
    with progress.step("PostgreSQL"):
        pass
    with pytest.raises(RuntimeError), progress.step("Airflow"):
        raise RuntimeError
    assert "✓ PostgreSQL" in output.getvalue().replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert "✗ Airflow" in output.getvalue().replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert ("… PostgreSQL" in output.getvalue()) is not terminal


def test_steps_may_overlap() -> None:
    output = StringIO()
    progress = Progress(Console(file=output, force_terminal=True, width=100))
    both = threading.Barrier(2)

    def work(label: str) -> None:
        with progress.step(label):
            both.wait(10)

    threads = [threading.Thread(target=work, args=(label,)) for label in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert output.getvalue().count("✓") == 2
