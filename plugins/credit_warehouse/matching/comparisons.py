"""What is compared between a record and a known subject, in which levels, and in which words it is explained.

Every condition is symmetric, because Splink decides which side is the left one. The numbers of each level are rows of
``ops.match_parameter``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison. ``condition`` is DuckDB SQL over ``<column>_l`` and ``<column>_r``; ``frequency_of``
    is a column whose common values weigh less."""

    name: str
    label: str
    condition: str = "ELSE"
    frequency_of: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Levels from the strongest to the weakest; the first that holds counts. No level counts where ``columns`` are null
    on either side.

    ``is_given``: u is not estimated, because the pairs it speaks of are not random ones.
    """

    name: str
    label: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    is_given: bool = False

    @property
    def null_condition(self) -> str:
        return " or ".join(f"{column}_l is null or {column}_r is null" for column in self.columns)


@dataclass(frozen=True)
class Model:
    """One kind of subject. ``blocks``: what a pair must share to be looked at. ``contradictions``: columns that rule a
    pair out where both sides have them and they differ."""

    kind: str
    comparisons: tuple[Comparison, ...]
    blocks: tuple[str, ...]
    contradictions: tuple[str, ...]

    @property
    def weighed(self) -> tuple[str, ...]:
        """Columns whose common values weigh less."""
        levels = (level for comparison in self.comparisons for level in comparison.levels)
        return tuple(level.frequency_of for level in levels if level.frequency_of)


MODEL_VERSION = "2026.1"
"""Raised with any change below: everything is proposed anew."""


def _same(column: str, is_weighed: bool = False) -> Level:
    label = "完全一致" if is_weighed else "一致"
    return Level("same", label, f"{column}_l = {column}_r", column if is_weighed else None)


def _one_character(column: str) -> Level:
    return Level("one_character", "一字之差", f"one_character({column}_l, {column}_r)")


_DIFFERENT = Level("different", "不一致")


def _age(name: str, label: str, since: str, until: str, is_given: bool = False) -> Comparison:
    """Two ranges of birth dates: that of a subject is one day, an age leaves a year."""

    def overlap(slack: str) -> str:
        return f"{since}_l{slack} <= {until}_r and {since}_r{slack} <= {until}_l"

    levels = (
        Level("fits", "与出生日期相符", overlap("")),
        Level("near", "与出生日期相差一岁以内", overlap(" - interval 1 year")),
        Level("different", "与出生日期不符"),
    )
    return Comparison(name, label, (since, until), levels, is_given=is_given)


PERSON = Model(
    kind="person",
    comparisons=(
        Comparison(
            "name", "姓名", ("name",), (_same("name", is_weighed=True), _one_character("name"), _DIFFERENT)
        ),
        Comparison("region", "号码前六位（地区）", ("region",), (_same("region"), _DIFFERENT)),
        Comparison("birth_year", "号码中的出生年份", ("birth_year",), (_same("birth_year"), _DIFFERENT)),
        Comparison(
            "tail",
            "号码末四位",
            ("tail",),
            (
                _same("tail"),
                Level(
                    "sequence",
                    "前三位一致，校验位被遮盖",
                    "tail_l[1:3] = tail_r[1:3] and (tail_l[4] = '*' or tail_r[4] = '*')",
                ),
                _DIFFERENT,
            ),
        ),
        Comparison("sex", "性别", ("sex",), (_same("sex"), _DIFFERENT)),
        _age("age", "年龄", "born_since", "born_until"),
        _age("age_in_year", "年龄（出生年份已知）", "year_since", "year_until", is_given=True),
        Comparison("birth_date", "出生日期", ("birth_date",), (_same("birth_date"), _DIFFERENT)),
    ),
    blocks=("name", "visible_digits"),
    contradictions=("visible_digits", "check_digit"),
)

ORGANISATION = Model(
    kind="organisation",
    comparisons=(
        Comparison(
            "name",
            "名称",
            ("name", "core"),
            (
                _same("name", is_weighed=True),
                Level("core", "字号行业一致，地区或组织形式不同", "core_l = core_r", frequency_of="core"),
                _one_character("core"),
                Level("contains", "一方包含另一方", "contains(core_l, core_r) or contains(core_r, core_l)"),
                _DIFFERENT,
            ),
        ),
        Comparison(
            "representative",
            "法定代表人",
            ("representative",),
            (_same("representative", is_weighed=True), _one_character("representative"), _DIFFERENT),
        ),
        Comparison("org_code", "组织机构代码", ("org_code",), (_same("org_code"), _DIFFERENT)),
    ),
    blocks=("core", "representative", "org_code"),
    contradictions=("org_code",),
)

MODELS = (PERSON, ORGANISATION)

MACROS = """
create macro one_character(a, b) as
    length(a) = length(b) and len(list_filter(range(1, length(a) + 1), lambda i: a[i] <> b[i])) = 1;
"""
