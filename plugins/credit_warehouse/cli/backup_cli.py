"""``backup``, ``backups`` and ``restore``: everything that cannot be made again, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import typer

from credit_warehouse.cli.tables import console, show
from credit_warehouse.settings import get_settings


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("backup")(backup)
    app.command("backups")(backups)
    app.command("restore")(restore)


def backup(
    to: Path = typer.Option(None, help="Folder of backups (default: CREDIT_BACKUP_DIR, else var/backups)."),
    keep: int = typer.Option(None, min=1, help="How many to keep (default: CREDIT_BACKUP_KEEP)."),
) -> None:
    """Back up databases, landed files, archives, logs and sealed secrets of the running system (备份)."""
    from credit_warehouse.backup import making
    from credit_warehouse.runtime import environment

    folder = (to or get_settings().backups_dir).resolve()
    with _plain_errors():
        made = making.make(environment.of_this_machine(), folder)
        gone = making.thin_out(folder, keep or get_settings().backup_keep)
    held = made.manifest
    console.print(
        f"已备份到 {made.folder}：发布批次 {len(held.fingerprints)} 个，文件 {len(held.files)} 个，"
        f"用时 {(held.ended_at - held.began_at).total_seconds():.0f} 秒；删除旧备份 {gone} 份。"
    )
    console.print(
        f"可恢复到 {held.ended_at.astimezone():%Y-%m-%d %H:%M:%S%z} 起的任一时刻。"
        if held.kind == "base"
        else f"导出文件：只能恢复到 {held.began_at.astimezone():%Y-%m-%d %H:%M:%S%z}。"
    )


def backups(
    folder: Path = typer.Option(None, "--from", help="Folder of backups (default as for backup)."),
) -> None:
    """The backups there are, oldest first (备份清单)."""
    from credit_warehouse.backup import manifest

    with _plain_errors():
        found = manifest.all_in((folder or get_settings().backups_dir).resolve())
    rows = [
        (
            one.folder.name,
            {"base": "整库＋日志", "dump": "导出"}[one.manifest.kind],
            f"{one.manifest.ended_at.astimezone():%Y-%m-%d %H:%M:%S%z}",
            one.manifest.current_publication,
            len(one.manifest.files),
        )
        for one in found
    ]
    show("备份", ["名称", "方式", "完成时间", "当时发布批次", "文件数"], rows, "尚无备份")


def restore(
    into: Path = typer.Option(help="New folder that becomes the home of the restored system."),
    source: Path = typer.Option(
        None,
        "--from",
        help="One backup, or the folder of backups (default as for backup): the newest fitting.",
    ),
    at: datetime = typer.Option(
        None,
        formats=["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M%z"],
        help='Moment with its zone, e.g. "2026-03-05 02:00+08:00" (default: the newest state).',
    ),
    warehouse_url: str = typer.Option(None, help="For a dump: an empty database for the warehouse."),
    airflow_url: str = typer.Option(None, help="For a dump: an empty database for Airflow's metadata."),
) -> None:
    """Restore a backup into a new folder, with its database running, and compare it with what was recorded (恢复).

    Exit code 1 when the restored publications are not what the backup recorded.
    """
    from credit_warehouse.backup import restoring

    given = {"warehouse": warehouse_url, "airflow": airflow_url}
    with _plain_errors():
        chosen = restoring.choose((source or get_settings().backups_dir).resolve(), at)
        found = restoring.restore(
            chosen, into.resolve(), at, {name: url for name, url in given.items() if url}
        )
    console.print(
        f"已由 {chosen.folder.name} 恢复到 {found.home}：可读发布批次 {found.publications} 个，当前为 {found.current}"
        f"（{found.newest_flip:%Y-%m-%d %H:%M:%S%z} 切换）。"
        if found.newest_flip
        else f"已由 {chosen.folder.name} 恢复到 {found.home}：尚无发布。"
    )
    console.print(f"与备份时登记的指纹核对 {found.compared} 项，不符 {len(found.differing)} 项。")
    for number, mart in found.differing:
        console.print(f"[red]✗[/] 发布批次 {number} 的 {mart} 与登记不符")
    if found.strange_keys:
        console.print(f"[red]✗[/] {found.strange_keys} 个主体键不是由恢复的 CREDIT_PEPPER 生成的")
    for path in found.missing_files:
        console.print(f"[yellow]![/] 台账登记的落地文件不在备份中，请从原系统或部门补回：landing/{path}")
    console.print(f"启用：CREDIT_HOME={found.home} make up；核对无误前不要删除原系统。")
    raise typer.Exit(0 if found.is_whole else 1)


@contextmanager
def _plain_errors() -> Iterator[None]:
    from credit_warehouse.backup.errors import BackupError
    from credit_warehouse.runtime.environment import EnvironmentMissing

    try:
        yield
    except (BackupError, EnvironmentMissing) as error:
        console.print(f"[red]✗[/] {error}")
        raise typer.Exit(1) from None
