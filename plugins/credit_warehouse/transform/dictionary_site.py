"""dbt's documentation as one page: dictionary, lineage, tests and owners, without a server or a network."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from credit_warehouse import publication
from credit_warehouse.settings import get_settings
from credit_warehouse.transform.run import DBT, environment


class DocsFailed(RuntimeError):
    """dbt could not write the page; the message has its last words."""


def write_dictionary() -> Path:
    """Write the page from the project and from the database as the current publication left it; a night may run meanwhile.

    Raises:
        DocsFailed: nothing is published, or dbt failed.
    """
    current = publication.current()
    if current is None:
        raise DocsFailed("还没有任何发布：数据字典要读取已建好的集市")
    folder = get_settings().dictionary_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".dbt-", dir=folder) as target:
        done = subprocess.run(
            [*DBT, "docs", "generate", "--static"],
            env=environment(current, publication.describe(current).business_date)
            | {"DBT_TARGET_PATH": target, "DBT_LOG_PATH": target},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DocsFailed("\n".join((done.stdout + done.stderr).strip().splitlines()[-20:]))
        return (Path(target) / "static_index.html").replace(folder / "index.html")
