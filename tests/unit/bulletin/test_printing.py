"""Pages become files, and PDF where a browser is; a PDF never belongs to another page than the one beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit_warehouse.bulletin import printing
from credit_warehouse.bulletin.printing import PrintFailed, browser, save

PAGE = "<!doctype html><meta charset='utf-8'><p>惠州市</p>"


@pytest.mark.skipif(browser() is None, reason="this machine has no browser to print with")
def test_a_page_is_printed_beside_itself(tmp_path: Path) -> None:
    page = save(tmp_path / "new" / "惠州市-总览.html", PAGE)
    assert page.read_text(encoding="utf-8") == PAGE
    pdf = page.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Page" in pdf
    assert sorted(file.name for file in page.parent.iterdir()) == ["惠州市-总览.html", "惠州市-总览.pdf"]


def test_without_a_browser_there_is_the_page_and_no_older_pdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "page.pdf").write_bytes(b"%PDF of yesterday")
    page = save(tmp_path / "page.html", PAGE)
    assert [file.name for file in tmp_path.iterdir()] == [page.name]


def test_a_browser_that_fails_says_so_and_leaves_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / printing.BROWSERS[0]
    broken.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(PrintFailed, match=r"page\.html 未能打印为 PDF：no display"):
        save(tmp_path / "out" / "page.html", PAGE)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["page.html"]
