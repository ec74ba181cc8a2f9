"""Nothing in a mart names a natural person (DOMAIN.md §4.7, PIPL §25, §28). None of these can be waived."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.quality.candidate import Candidate, Mart
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import changed_rows
from expectations.wording import told

_SHAPE = (
    "[1-9][0-9]{{5}}(18|19|20)[0-9]{{2}}((0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])|[*]{{4}})[0-9]{{3}}[0-9Xx]"
)
"""GB 11643: region, date of birth (courts mask month and day), sequence, check digit (DOMAIN.md §2)."""

_ALONE = f"(?<![0-9A-Za-z])({_SHAPE})(?![0-9A-Za-z])"

_CHECK_DIGIT = """
    substr('10X98765432', 1 + (
        select sum(substr(number, place::int, 1)::int * weight) % 11
        from unnest(array[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) with ordinality as w(weight, place)
    )::int, 1)
"""

_NAME_COLUMNS = ("party_name", "display_name")


def expectations(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """Judged on the rows that changed since each last held; columns and marts are those there are, not a list."""
    for mart in candidate.marts:
        yield _resident_ids(candidate, mart)
        named = [column for column in _NAME_COLUMNS if column in mart.columns]
        if named and "subject_type" in mart.columns:
            yield _names(candidate, mart, named)
        if {"subject_key", "subject_type", "decision_date"} <= mart.columns.keys():
            yield _minors(candidate, mart)


def _resident_ids(candidate: Candidate, mart: Mart) -> ExpectNoRows:
    """A document number may begin with region and date as well (441302202603020017): a number is taken for a
    person's if its check digit is right, or if the date is eighteen years past, or if it is masked."""
    expectation_id = f"publication.{mart.name}.resident_id"
    cells = ", ".join(f"('{column}', changed.{column}::text)" for column in mart.text_columns)
    words = ", ".join(f"changed.{column}::text" for column in mart.text_columns)
    adult = candidate.business_date.year - 18
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select distinct {_keys(mart)}, cell.column_name
            from {changed_rows(candidate, mart.name, expectation_id)}
            cross join lateral (values {cells}) as cell(column_name, words)
            cross join lateral regexp_matches(cell.words, '{_ALONE}', 'g') as found
            cross join lateral (select upper(found[1]) as number) as candidate_number
            where concat_ws(' ', {words}) ~ '{_SHAPE}'
                and case
                    when number like '%*%' then true
                    else substr(number, 18, 1) = {_CHECK_DIGIT} or substr(number, 7, 4)::int <= {adult}
                end
        """,
        **told(
            expectation_id,
            f"{mart.label} 的任何文本列不得出现身份证号码（含部分遮蔽的号码）",
            "本中心立即排查该列的来源与脱敏规则，更正后重新构建；来自部门自由文本的，请部门删改后重新报送。",
            waivable=False,
        ),
    )


def _names(candidate: Candidate, mart: Mart, columns: list[str]) -> ExpectNoRows:
    expectation_id = f"publication.{mart.name}.person_name"
    shown = " or ".join(f"changed.{column} !~ '^.[*]$'" for column in columns)
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select {_keys(mart)}
            from {changed_rows(candidate, mart.name, expectation_id)}
            where changed.subject_type is distinct from 'organisation' and ({shown})
        """,
        **told(
            expectation_id,
            f"{mart.label} 中自然人的姓名应只显示姓氏（如“张*”）",
            "本中心排查脱敏规则，更正后重新构建；部门无需处理。",
            waivable=False,
        ),
    )


def _minors(candidate: Candidate, mart: Mart) -> ExpectNoRows:
    """Only adults with full capacity are credit subjects: age at the decision (DOMAIN.md §4.7)."""
    expectation_id = f"publication.{mart.name}.minor"
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select {_keys(mart)}
            from {changed_rows(candidate, mart.name, expectation_id)}
            inner join vault.identity using (subject_key)
            where identity.id_type = 'resident_id' and identity.id_value ~ '^[0-9]{{{{17}}}}[0-9X]$'
                and to_char(changed.decision_date, 'YYYYMMDD')::int - substr(identity.id_value, 7, 8)::int < 180000
        """,
        **told(
            expectation_id,
            f"{mart.label} 不得含有作出决定时未满 18 周岁的人的记录",
            "请报送部门核对并撤回该记录；本中心将其退回，不得发布。",
            waivable=False,
        ),
    )


def _keys(mart: Mart) -> str:
    """The key of a row as an example shows it: a number that should not be there is not told on."""
    return ", ".join(
        f"regexp_replace(changed.{column}, '{_SHAPE}', '（已遮盖）', 'g') as {column}"
        if column in mart.text_columns
        else f"changed.{column}"
        for column in mart.key
    )
