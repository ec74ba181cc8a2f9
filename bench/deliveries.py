"""Big deliveries for the intake benchmark, seeded: a court's CSV, a tax office's JSON lines, a market bureau's workbook.

Identifiers are valid in form and impossible in fact (no county 441399); two rows in a hundred break a rule.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas
from openpyxl import Workbook

from credit_warehouse.identity import duckdb as identity
from credit_warehouse.intake.rule import literal
from simulator.codes import make_uscc

COURT, TAX, MARKET = (
    "court.dishonest_judgment_debtor",
    "tax.tax_arrears",
    "market_regulation.administrative_penalty",
)
ROWS_PER_ORGANISATION = 8
"""A city of 1.2 M persons has 150 k organisations."""

_DRAW = "(hash(n, {salt}) % {size})::bigint"


def court_csv(path: Path, rows: int) -> None:
    """A UTF-8 CSV with the court's header. Every person is drawn from as many as there are rows."""
    with _city(rows) as sql:
        _copy(sql, _COURT.format(rows=rows, **_draws(rows)), path, "format csv, header true")


def tax_lines(path: Path, rows: int) -> None:
    """JSON lines as the tax office's pages are landed."""
    with _city(rows) as sql:
        _copy(sql, _TAX.format(rows=rows, **_draws(rows)), path, "format json")


def market_workbook(path: Path, rows: int, scratch: Path) -> None:
    """A workbook without formulas, as the bureau's system exports it: texts, and amounts as numbers."""
    with _city(rows) as sql:
        _copy(sql, _MARKET.format(rows=rows, **_draws(rows)), scratch, "format csv, header true")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("sheet")
    with scratch.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            sheet.append([_cell(cell) for cell in row])
    book.save(path)
    scratch.unlink()


def _cell(text: str) -> str | float | None:
    if not text:
        return None
    return float(text) if text.replace(".", "", 1).isdigit() and len(text) < 8 else text


def _city(rows: int) -> duckdb.DuckDBPyConnection:
    sql = duckdb.connect()
    identity.install(sql, "bench")
    organisations = pandas.DataFrame(_organisations(max(rows // ROWS_PER_ORGANISATION, 1)))
    sql.register("made", organisations)
    sql.execute("create table organisation as select number, uscc, name from made")
    return sql


def _organisations(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        code = make_uscc("91", "441399", f"MA{number:06d}")
        yield {"number": number, "uscc": code, "name": f"示例市第{number}建筑工程有限公司"}


def _draws(rows: int) -> dict[str, str]:
    born = "strftime(date '1940-01-01' + (person % 23000)::int, '%Y%m%d')"
    return {
        "person": _DRAW.format(salt=1, size=rows),
        "organisation": _DRAW.format(salt=2, size=max(rows // ROWS_PER_ORGANISATION, 1)),
        "chance": _DRAW.format(salt=3, size=1000),
        "days": _DRAW.format(salt=4, size=1500),
        "amount": _DRAW.format(salt=5, size=100_000_000),
        "resident_id": f"with_resident_check('441399' || {born} || lpad((person * 7919 % 1000)::varchar, 3, '0'))",
    }


def _copy(sql: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    sql.execute(f"copy ({query}) to {literal(str(path))} ({options})")


_COURT = """
with drawn as (
    select n, {person} as person, {organisation} as number, {chance} as chance, {days} as days,
        {resident_id} as resident_id,
        n % 10 < 6 as is_person
    from (select range as n from range({rows}))
),
named as (
    select *, date '2021-06-01' + days::int as published_on,
        '测试' || substr('甲乙丙丁戊己庚辛壬癸', 1 + (person % 10)::int, 1) || chr(19968 + (person % 5000)::int) as person_name
    from drawn join organisation using (number)
)
select
    'SX2026' || n as 编号,
    if(is_person, '自然人', '法人或其他组织') as 被执行人类型,
    if(is_person, person_name, name) as 被执行人姓名或名称,
    case when not is_person then null
        when chance < 5 then resident_id[1:17] || 'A'
        when chance < 35 then resident_id[1:10] || '****' || resident_id[15:18]
        else resident_id end as 身份证号码,
    case when is_person then null when chance < 5 then uscc[1:17] || 'I' else uscc end as 统一社会信用代码,
    if(is_person, null, person_name) as 法定代表人或负责人,
    if(is_person, if(person % 2 = 0, '男', '女'), null) as 性别,
    if(is_person, (20 + person % 60)::varchar, null) as 年龄,
    '（2021）粤1399执' || n || '号' as 案号,
    strftime(published_on - 90, '%Y%m%d') as 立案日期,
    '示例市虚构区人民法院' as 执行法院,
    if(chance between 5 and 9, null, '（2020）粤1399民初' || n || '号') as 执行依据文号,
    '示例市虚构区人民法院' as 作出执行依据单位,
    '支付工程款' || number || '元及利息，并承担本案受理费。' as 生效法律文书确定的义务,
    if(chance between 10 and 14, '不详', '全部未履行') as 被执行人的履行情况,
    if(n % 3 = 0, '违反财产报告制度;有履行能力而拒不履行', '违反限制消费令') as 失信行为具体情形,
    if(chance between 15 and 19, '2022年9月31日', strftime(published_on, '%Y年%m月%d日')) as 发布日期,
    null as 屏蔽日期,
    null as 屏蔽原因,
    '发布' as 状态,
    '2026-03-02 09:15:00' as 最新更新时间
from named
order by n
"""

_TAX = """
with drawn as (
    select n, {organisation} as number, {chance} as chance, {days} as days, {amount} as amount
    from (select range as n from range({rows}))
)
select
    '虚构税欠告〔2026〕' || n || '号' as announcement_no,
    '增值税' as tax_kind,
    name as taxpayer_name,
    if(chance < 10, uscc[1:17] || 'I', uscc) as taxpayer_id,
    '企业' as taxpayer_type,
    '测试' || chr(19968 + (number % 5000)::int) as legal_representative,
    '示例市虚构区样例路' || number % 999 || '号' as place,
    amount / 100 as arrears_balance_cny,
    if(chance between 10 and 19, -1, 52000.0) as new_arrears_cny,
    '国家税务总局示例市虚构区税务局' as tax_authority,
    strftime(date '2022-01-20' + days::int, '%Y-%m-%d') as announced_on,
    '2025Q4' as period,
    '公告中' as status,
    null::varchar as settled_on,
    '2026-03-02T08:30:00+08:00' as updated_at
from drawn join organisation using (number)
order by n
"""

_MARKET = """
with drawn as (
    select n, {person} as person, {organisation} as number, {chance} as chance, {days} as days,
        {resident_id} as resident_id,
        n % 10 < 2 as is_person
    from (select range as n from range({rows}))
),
named as (
    select *, date '2021-06-01' + days::int as decided_on, '测试' || chr(19968 + (person % 5000)::int) as person_name
    from drawn join organisation using (number)
)
select
    if(is_person, person_name, name) as CF_XDR_MC,
    if(is_person, '自然人', '法人及非法人组织') as CF_XDR_LB,
    case when is_person then null when chance < 10 then uscc[1:17] || 'I' else uscc end as CF_XDR_SHXYM,
    if(is_person, null, person_name) as CF_FRDB,
    if(is_person, '身份证', null) as CF_XDR_ZJLX,
    if(is_person, resident_id, null) as CF_XDR_ZJHM,
    '虚构市监罚〔2021〕' || n || '号' as CF_WSH,
    '经营不符合安全标准的食品' as CF_WFXW,
    '销售超过保质期的食品' || number || '件。' as CF_SY,
    '《中华人民共和国食品安全法》' as CF_YJ,
    if(chance between 10 and 19, '罚金', '罚款') as CF_CFLB,
    '罚款' || n % 400 / 100 || '万元。' as CF_NR,
    n % 400 / 100 as CF_NR_FK,
    null as CF_NR_WFFF,
    null as CF_NR_ZKDX,
    strftime(decided_on, '%Y/%m/%d') as CF_JDRQ,
    '2099/12/31' as CF_YXQ,
    strftime(decided_on + 365, '%Y/%m/%d') as CF_GSJZQ,
    '示例市虚构区市场监督管理局' as CF_CFJG,
    '114413990000731896' as CF_CFJGDM,
    '1' as CF_ZT,
    '示例市虚构区市场监督管理局' as CF_SJLY,
    '114413990000731896' as CF_SJLYDM,
    null as BZ,
    '2026/03/02 17:10:00' as SJC
from named
order by n
"""
