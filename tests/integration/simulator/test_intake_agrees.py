"""The office's intake splits every delivery as the answer key says, row by row and rule by rule."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from credit_warehouse.contracts import load_contracts
from credit_warehouse.intake.split import REJECTED_COLUMNS, split_delivery
from credit_warehouse.settings import Settings
from simulator.answer_key import FeedNight
from simulator.city import City
from simulator.deliveries import write_delivery
from simulator.feeds import FEEDS
from simulator.rows import Row
from simulator.schema import Feed, Medium

NIGHTS = 3
GROUP_RULES = {"one_of", "duplicate_key"}


def _landed(feed: Feed, day: date, rows: Iterable[Row], folder: Path) -> Path:
    """The delivery as the office lands it."""
    if feed.medium is Medium.API:
        path = folder / f"{feed.id}_{day}.jsonl"
        path.write_text("".join(json.dumps(row.item(feed), ensure_ascii=False) + "\n" for row in rows))
        return path
    if feed.medium is Medium.TABLE:
        path = folder / f"{feed.id}_{day}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*(f.header for f in feed.fields), "change_seq"])
            writer.writerows([*row.cells(feed), number] for number, row in enumerate(rows, start=1))
        return path
    written = write_delivery(feed, day, rows, folder)
    assert written is not None
    return written


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Path, FeedNight]]]:
    """Feed → (landed file, its key), night by night."""
    folder, city = tmp_path_factory.mktemp("landed"), City(seed=5, enterprises=300, persons=300)
    found: dict[str, list[tuple[Path, FeedNight]]] = {feed_id: [] for feed_id in FEEDS}
    for _ in range(NIGHTS):
        day = city.next_night
        paths = {feed.id: _landed(feed, day, city.deliver(feed, day), folder) for feed in FEEDS.values()}
        key = city.close_night()
        for feed_id, path in paths.items():
            found[feed_id].append((path, key.feeds[feed_id]))
    return found


def _rejected(path: Path) -> Iterator[tuple[int, set[tuple[str, str]]]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, fieldnames=REJECTED_COLUMNS):
            broken = {(found["rule"], found["field"]) for found in json.loads(row["violations"])}
            yield (
                int(row["source_row"]),
                {(rule, "" if rule in GROUP_RULES else name) for rule, name in broken},
            )


@pytest.mark.parametrize("feed_id", FEEDS)
def test_intake_rejects_exactly_the_planted_rows(
    feed_id: str, landed: dict[str, list[tuple[Path, FeedNight]]], tmp_path: Path
) -> None:
    settings, contract = Settings(pepper=SecretStr("test"), home=tmp_path), load_contracts()[feed_id]
    for number, (path, key) in enumerate(landed[feed_id]):
        scratch = tmp_path / str(number)
        scratch.mkdir()
        split = split_delivery(contract, path, 1, key.business_date, scratch, settings)
        planted = {
            row.source_row: {(broken.rule, broken.field) for broken in row.broken} for row in key.planted
        }
        assert dict(_rejected(split.rejected)) == planted
        assert (split.delivered_rows, split.accepted_rows) == (key.delivered, key.accepted)
