"""Settings by which a server archives its log, and plays an archived one forward."""

from __future__ import annotations

from pathlib import Path

ARCHIVE_TIMEOUT_SECONDS = 300
"""At most this much work is lost with the machine: a half-full piece of the log is archived after it."""


def archive_settings(folder: Path | None) -> dict[str, str]:
    """`archive_mode` needs a restart and `archive_command` does not: it is always on, so that backups can begin any time."""
    if folder is None:
        return {"archive_mode": "on", "archive_command": "'exit 0'"}
    piece, draft = _inside(folder, "%f.gz"), _inside(folder, ".%f.gz")
    # Asked again after a crash, it must say yes to the piece it has, and never overwrite another.
    command = (
        f"if test -f {piece}; then gzip -dc {piece} | cmp -s - %p; "
        f"else gzip -1c %p > {draft} && sync {draft} && mv {draft} {piece}; fi"
    )
    return {
        "archive_mode": "on",
        "archive_command": _quoted(command),
        "archive_timeout": str(ARCHIVE_TIMEOUT_SECONDS),
    }


def recovery_settings(folder: Path | None, until: str | None) -> dict[str, str]:
    """Play the log in `folder` forward to the moment `until` (a timestamp with time zone), then serve."""
    command = "exit 1"
    if folder is not None:
        piece = _inside(folder, "%f.gz")
        command = f"test -f {piece} && gzip -dc {piece} > %p"
    settings = {"restore_command": _quoted(command), "recovery_target_action": "'promote'"}
    if until is not None:
        settings["recovery_target_time"] = _quoted(until)
    return settings


def _inside(folder: Path, name: str) -> str:
    """A shell word; the server replaces %f and %p in it."""
    if "'" in str(folder):
        raise ValueError(f"the folder of the log archive must not contain a single quote: {folder}")
    return f"'{str(folder).replace('%', '%%')}/{name}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
