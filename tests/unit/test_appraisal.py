"""The yearly score sheet: what it says, and what it may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit_warehouse.appraisal import SheetError, load_sheet

LINE = "- {code: a, label: 甲, category: 报送, maxPoints: 6, validFrom: 2024-01-01, source: 测试%s}\n"


def test_the_sheet_of_the_office_has_a_hundred_points_and_a_bonus() -> None:
    sheet = load_sheet()
    by_category: dict[str, float] = {}
    for indicator in sheet:
        by_category[indicator.category] = by_category.get(indicator.category, 0) + indicator.max_points
    assert by_category == {"组织推进": 40, "信息报送": 30, "双公示": 30, "加分": 10}
    assert [indicator.code for indicator in sheet if indicator.is_bonus] == ["innovation"]


@pytest.mark.parametrize(
    ("sheet", "complaint"),
    [
        (LINE % ", metric: nothing", "nothing is no metric of unit share"),
        (LINE % ", metric: delay_p50", "delay_p50 is no metric of unit share"),
        (LINE % ", fullFrom: 0.9", "there is none"),
        (LINE % "" + LINE % "", "two versions hold on 2024-01-01"),
        (LINE % ", validTo: 2023-01-01", "validTo lies before validFrom"),
        (LINE % ", weight: 3", "weight"),
        ("{", "sheet.yaml"),
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(tmp_path: Path, sheet: str, complaint: str) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text(sheet, encoding="utf-8")
    with pytest.raises(SheetError, match=complaint):
        load_sheet(path)
