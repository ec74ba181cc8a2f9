"""Pairs, scores and explanations, without a warehouse."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit_warehouse.matching.comparisons import MODELS, ORGANISATION, PERSON, Model
from credit_warehouse.matching.parameters import Parameters
from credit_warehouse.matching.scoring import COLUMNS, Pairs, score
from credit_warehouse.settings import Settings

DAY = date(2026, 3, 2)
KNOWN = 1000


def numbers(model: Model) -> Parameters:
    """Plain numbers: the first level is likely among true pairs and rare among others."""
    rows = {"known_share": 0.5, "least_score": 0.0, "least_sample": 1.0, "frequency_floor": 0.5}
    for comparison in model.comparisons:
        for place, level in enumerate(comparison.levels):
            last = place == len(comparison.levels) - 1
            rows[f"m.{comparison.name}.{level.name}"] = 0.9 if place == 0 else 0.05
            rows[f"u.{comparison.name}.{level.name}"] = 0.9 if last else 0.01
    return Parameters(model.kind, DAY, rows)


def scored(
    model: Model, record: dict[str, Any], subject: dict[str, Any], folder: Path
) -> tuple[float, dict[str, tuple[str, float]]] | None:
    """(match weight, item → (level, weight)) of one pair, or none where it is no candidate."""
    sides = {"records": [record], "subjects": [subject], "masked_sample": [], "sample": []}
    files = {}
    for name, rows in sides.items():
        files[name] = folder / f"{name}.csv"
        with files[name].open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({"unique_id": name, **row} for row in rows)
    frequencies = {}
    for column in model.weighed:
        frequencies[column] = folder / f"frequency-{column}.csv"
        value = subject.get(column, "")
        frequencies[column].write_text(f"value,share\n{value},{2.5 / KNOWN}\n", encoding="utf-8")
    pairs = Pairs(**files, frequencies=frequencies, known=KNOWN)
    found = score(model, pairs, numbers(model), folder, Settings(home=folder))
    with found.file.open(encoding="utf-8") as file:
        rows_ = list(csv.reader(file))
    assert len(rows_) == found.pairs
    if not rows_:
        return None
    ((record_id, subject_id, _, weight, explanation),) = rows_
    assert (record_id, subject_id) == ("records", "subjects")
    entries = json.loads(explanation)
    assert sum(entry["weight"] for entry in entries) == pytest.approx(float(weight), abs=0.05)
    return float(weight), {entry["item"]: (entry["level"], entry["weight"]) for entry in entries}


def person(number: str | None, name: str = "王样例", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, **more}
    if number:
        check = number[17] if number[17] != "*" else ""
        row |= {
            "region": number[:6],
            "birth_year": number[6:10],
            "tail": number[14:],
            "visible_digits": number[:10] + number[14:17],
            "check_digit": check,
        }
    return row


REAL = "441399198501011234"


def test_every_item_is_explained_in_chinese(tmp_path: Path) -> None:
    found = scored(PERSON, person("4413991985****1234"), person(REAL), tmp_path)
    assert found is not None
    assert set(found[1]) == {"起始", *(comparison.label for comparison in PERSON.comparisons)}
    assert found[1]["姓名"][0] == "完全一致（另有 2 个已知主体与此相同）"
    assert found[1]["号码末四位"] == ("一致", pytest.approx(6.49, abs=0.01))
    assert found[1]["性别"] == ("未比较（一方没有，或已含在其他项中）", 0)


@pytest.mark.parametrize(
    "number",
    [
        "4413981985****1234",  # region
        "4413991986****1234",  # year
        "4413991985****2234",  # sequence
        "4413991985****1235",  # check digit
    ],
)
def test_a_visible_digit_that_differs_rules_the_pair_out(number: str, tmp_path: Path) -> None:
    assert scored(PERSON, person(number), person(REAL), tmp_path) is None


def test_a_masked_check_digit_says_less(tmp_path: Path) -> None:
    whole = scored(PERSON, person("4413991985****1234"), person(REAL), tmp_path)
    (tmp_path / "person.duckdb").unlink()
    masked = scored(PERSON, person("4413991985****123*"), person(REAL), tmp_path)
    assert whole is not None and masked is not None
    assert masked[1]["号码末四位"][0] == "前三位一致，校验位被遮盖"
    assert masked[0] < whole[0]


def test_a_name_one_character_off_is_found_by_the_number_only(tmp_path: Path) -> None:
    found = scored(PERSON, person("4413991985****1234", "王羊例"), person(REAL), tmp_path)
    assert found is not None and found[1]["姓名"][0] == "一字之差"
    (tmp_path / "person.duckdb").unlink()
    assert scored(PERSON, person(None, "王羊例"), person(REAL), tmp_path) is None


@pytest.mark.parametrize(
    ("since", "until", "level"),
    [
        ("1984-03-03", "1985-03-02", "与出生日期相符"),
        ("1985-03-03", "1986-03-02", "与出生日期相差一岁以内"),
        ("1970-03-03", "1971-03-02", "与出生日期不符"),
    ],
)
def test_an_age_is_a_year_of_birth_dates(since: str, until: str, level: str, tmp_path: Path) -> None:
    subject = person(REAL, born_since="1985-01-01", born_until="1985-01-01")
    found = scored(PERSON, person(None, born_since=since, born_until=until), subject, tmp_path)
    assert found is not None and found[1]["年龄"][0] == level


@pytest.mark.parametrize(
    ("name", "core", "level"),
    [
        ("惠州市拟恒达商贸有限公司", "拟恒达商贸", "完全一致"),
        ("拟恒达商贸公司", "拟恒达商贸", "字号行业一致"),
        ("惠州市拟恒远商贸有限公司", "拟恒远商贸", "一字之差"),
        ("惠州市拟恒达商贸中心有限公司", "拟恒达商贸中心", "一方包含另一方"),
        ("惠州市拟泰丰家具有限公司", "拟泰丰家具", "不一致"),
    ],
)
def test_names_of_organisations(name: str, core: str, level: str, tmp_path: Path) -> None:
    known = {"name": "惠州市拟恒达商贸有限公司", "core": "拟恒达商贸", "representative": "王样例"}
    found = scored(ORGANISATION, {"name": name, "core": core, "representative": "王样例"}, known, tmp_path)
    assert found is not None and found[1]["名称"][0].startswith(level)


def test_organisation_codes_that_differ_rule_the_pair_out(tmp_path: Path) -> None:
    known = {"name": "甲", "core": "甲", "org_code": "QQ0000001"}
    assert scored(ORGANISATION, {**known, "org_code": "QQ0000002"}, known, tmp_path) is None


def test_a_missing_number_is_named() -> None:
    with pytest.raises(LookupError, match=r"m\.name\.same（person）在 2026-03-02 没有有效值"):
        Parameters("person", DAY, {})["m.name.same"]


def test_levels_are_named_once() -> None:
    for model in MODELS:
        for comparison in model.comparisons:
            assert len({level.name for level in comparison.levels}) == len(comparison.levels)
