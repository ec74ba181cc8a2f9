"""Postgres settings derived from the machine's memory."""

import os
from pathlib import Path

MIB = 1024 * 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or its container's limit when that is lower."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return machine


def server_settings(memory: int, *, durable: bool) -> dict[str, str]:
    """Settings of a server that shares a machine of `memory` bytes with Airflow and dbt.

    `durable=False` is for throw-away test servers: small, and a crash may lose everything.
    """
    # The manual's advice for a server of its own: a night of a big city asks for its pages all over it, and what comes from
    # the page cache is copied each time.
    buffers = memory // 4 if durable else min(memory // 16, 256 * MIB)
    settings = {
        "shared_buffers": f"{max(buffers, 128 * MIB) // MIB}MB",
        "effective_cache_size": f"{memory // 2 // MIB}MB",
        "work_mem": f"{min(max(memory // 256, 8 * MIB), 128 * MIB) // MIB}MB",
        "maintenance_work_mem": f"{min(max(memory // 16, 64 * MIB), 1024 * MIB) // MIB}MB",
        "max_connections": "200",
        "max_wal_size": "4GB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "64",
        # Compilation costs more than it saves on nightly deltas.
        "jit": "off",
        "timezone": "'Asia/Shanghai'",
        "log_timezone": "'Asia/Shanghai'",
        "log_line_prefix": "'%m [%p] %q%u@%d '",
        # A killed task's statement ends with it: the next try must not wait for its locks.
        "client_connection_check_interval": "2s",
        "log_checkpoints": "off",
        "log_lock_waits": "on",
    }
    if durable:
        # A night's log goes into the files of the night before: new ones are filled with zeros first.
        settings |= {"min_wal_size": "1GB"}
    else:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return settings
