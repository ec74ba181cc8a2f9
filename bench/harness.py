"""What every benchmark needs: interleaved runs and their medians, peak memory, a report."""

from __future__ import annotations

import math
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.charts import with_pictures

RESULTS = Path(__file__).parent / "results"
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Run:
    """One run. ``seconds``: wall time; ``cpu_seconds``: user and system time of the process; ``peak_mb``: MiB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def timed(work: Callable[[], object]) -> Run:
    """Run something in this process. Its peak is this process's so far."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return Run(seconds, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def run_process(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end; CPU time and peak are its own (its children's not included).

    Raises:
        RuntimeError: it failed; the message ends with what it wrote.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdout=output, stderr=output, env={**os.environ, **(env or {})}, cwd=Path.cwd()
        )
        peak, ended = 0.0, 0
        while not ended:
            peak = max(peak, _peak_mb(process.pid))
            time.sleep(_POLL_SECONDS)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {said}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak)


def _peak_mb(pid: int) -> float:
    """Peak resident memory of a running process in MiB; its ``ru_maxrss`` would start with the parent's."""
    with suppress(OSError):
        if found := re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()):
            return int(found[1]) / 1024
    return 0.0


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter, for :func:`run_process`."""
    return [sys.executable, "-m", module, *arguments]


def interleaved(peers: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Each peer once per round, in turn, so that what else the machine does falls on all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in peers}
    for number in range(rounds):
        for name, work in peers.items():
            runs[name].append(work())
            print(f"  round {number + 1}/{rounds} {name}: {runs[name][-1].seconds:.2f} s", file=sys.stderr)
    return runs


def median(runs: Sequence[Run]) -> Run:
    """Medians of wall and CPU time; the highest of the peaks."""
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        max(run.peak_mb for run in runs),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Slope of cost over size, both logarithmic: 0 = size does not matter, 1 = proportional."""
    return statistics.linear_regression([math.log(s) for s in sizes], [math.log(c) for c in costs]).slope


@contextmanager
def watched_memory() -> Iterator[Callable[[], float]]:
    """Peak resident memory in MiB of this process and all below it, seen while inside."""
    process, peak, done = psutil.Process(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(_POLL_SECONDS):
            total = 0
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.Error):
                    total += one.memory_info().rss
            peak = max(peak, total / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: peak
    finally:
        done.set()
        watcher.join()


def machine() -> str:
    """One line for the report: what it was measured on."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def save(name: str, text: str) -> Path:
    """Print a report and write it to ``bench/results/<name>.md``, its charts beside it."""
    print(text)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.md"
    target.write_text(text.rstrip() + "\n", encoding="utf-8")
    with_pictures(target)
    return target
