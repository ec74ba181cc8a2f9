"""Charts are the tables of the reports they stand in."""

import re

import pytest

from bench.charts import CHARTS, Chart, draw, found, number, tables, with_pictures
from bench.harness import RESULTS, table

REPORT = f"""# A report

{table(["way", "p50 ms", "goal"], [["ours", "**1,234.5**", "20"], ["theirs", "none", ""]])}

{table(["night", "history", "wall s"], [["1", "whole", "2.5 s"], ["2", "whole", "3"], ["1", "pruned", "2"]])}
"""
BARS = Chart("Waits", "bars", ("way",), ("p50 ms",), "ms", goal="goal")
LINES = Chart("Nights", "lines", ("night",), ("wall s",), "s", split="history")


def test_a_table_is_read_as_it_was_written() -> None:
    ways, nights = tables(REPORT)
    assert ways == [
        {"way": "ours", "p50 ms": "1,234.5", "goal": "20"},
        {"way": "theirs", "p50 ms": "none", "goal": ""},
    ]
    assert [row["wall s"] for row in nights] == ["2.5 s", "3", "2"]


@pytest.mark.parametrize(
    ("cell", "figure"),
    [("1,234.5", 1234.5), ("2.5 s", 2.5), ("7.8%", 7.8), ("-3", -3), (".5", 0.5), ("none", None), ("", None)],
)
def test_the_figure_of_a_cell(cell: str, figure: float | None) -> None:
    assert number(cell) == figure


def test_a_chart_takes_the_table_that_has_its_columns() -> None:
    assert found(REPORT, LINES)[2] == {"night": "1", "history": "pruned", "wall s": "2"}
    with pytest.raises(LookupError, match=r"no table has the columns .*'megabytes'.* of the chart “Disk”"):
        found(REPORT, Chart("Disk", "bars", ("way",), ("megabytes",), "MB"))


def test_bars_say_their_figures_and_leave_out_what_has_none(tmp_path) -> None:
    draw(BARS, found(REPORT, BARS), tmp_path / "waits.svg")
    written = re.findall(r">([^<>]+)</text>", (tmp_path / "waits.svg").read_text("utf-8"))
    assert {" 1,234.5", "ours", "goal", "Waits"} <= set(written)
    assert "theirs" not in written


def test_lines_are_named_by_what_they_are_split_by(tmp_path) -> None:
    draw(LINES, found(REPORT, LINES), tmp_path / "nights.svg")
    written = re.findall(r">([^<>]+)</text>", (tmp_path / "nights.svg").read_text("utf-8"))
    assert {"wall s · whole", "wall s · pruned"} <= set(written)


def test_a_report_ends_with_its_charts_however_often_they_are_drawn(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(CHARTS, "waits", (BARS, LINES))
    report = tmp_path / "waits_quick.md"
    report.write_text(REPORT, "utf-8")
    with_pictures(report)
    once = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert once.keys() == {"waits_quick.md", "waits_quick_1.svg", "waits_quick_2.svg"}
    assert report.read_text("utf-8").endswith(
        "## In pictures\n\n![Waits](waits_quick_1.svg)\n\n![Nights](waits_quick_2.svg)\n"
    )
    with_pictures(report)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == once


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_every_saved_report_has_the_tables_of_its_charts(name: str) -> None:
    text = (RESULTS / f"{name}.md").read_text("utf-8")
    for place, chart in enumerate(CHARTS[name], 1):
        assert found(text, chart)
        assert f"![{chart.title}]({name}_{place}.svg)" in text
        assert (RESULTS / f"{name}_{place}.svg").is_file()
