"""A page as a file: whole or not at all, and as PDF beside it where the machine has a browser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT_SECONDS = 120


class PrintFailed(Exception):
    """The browser is there and did not print; the message has its last words."""


def save(path: Path, html: str) -> Path:
    """Write a page and, if a browser is installed, its PDF; an older PDF never stands beside a newer page.

    Raises:
        PrintFailed: the browser did not print; the page is written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".pdf").unlink(missing_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(html, encoding="utf-8")
    partial.replace(path)
    found = browser()
    if found:
        _print(found, path)
    return path


def browser() -> str | None:
    """The browser that prints; none = pages are written without PDF."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _print(browser: str, page: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="credit_print_") as scratch:
        printed = Path(scratch) / "page.pdf"
        command = [
            browser, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer",
            # A service has no right to make the browser's sandbox. The page is our own, its policy forbids scripts and
            # every address, and here no name is resolved either.
            "--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={scratch}/profile", f"--print-to-pdf={printed}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PRINT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PrintFailed(f"{page.name} 打印超过 {PRINT_SECONDS} 秒") from error
        if done.returncode or not printed.exists():
            last = done.stderr.decode(errors="replace").strip()[-500:]
            raise PrintFailed(f"{page.name} 未能打印为 PDF：{last}")
        partial = page.with_suffix(".pdf.partial")
        shutil.move(printed, partial)
        partial.replace(page.with_suffix(".pdf"))
