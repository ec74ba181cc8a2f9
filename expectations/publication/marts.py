"""What holds for every mart there is: its size does not jump, it has one version per key, no candidate left traces."""

from __future__ import annotations

import math
from collections.abc import Iterator

import great_expectations.expectations as gxe

from credit_warehouse.quality.candidate import Candidate, Mart, rows_query
from credit_warehouse.quality.figures import Unit, figure
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import changed_rows
from expectations.wording import told


def row_count(candidate: Candidate, mart: Mart) -> gxe.Expectation:
    """Drift against the last publication, both ways; of the first one only that it is not empty."""
    expectation_id = f"publication.{mart.name}.row_count"
    if not mart.rows_before:
        least = int(candidate.parameters.get("min_first_rows", mart.name).value)
        return gxe.ExpectTableRowCountToBeBetween(
            min_value=least,
            **told(
                expectation_id,
                f"{mart.label} 首次发布应不少于 {figure(least, Unit.ROWS)}（参数 min_first_rows）",
                "本中心核对各部门首次交付是否已接收，再重新构建。",
                expected=f"≥ {figure(least, Unit.ROWS)}",
            ),
        )
    drop = candidate.parameters.get("max_row_drop_share", mart.name)
    rise = candidate.parameters.get("max_row_rise_share", mart.name)
    least = math.ceil(mart.rows_before * (1 - drop.value))
    most = math.floor(mart.rows_before * (1 + rise.value))
    return ExpectNoRows(
        unexpected_rows_query=f"select rows as mart_rows from ({rows_query(candidate, mart)}) as held where rows not between {least} and {most}",
        **told(
            expectation_id,
            f"{mart.label} 行数较上一次发布（{figure(mart.rows_before, Unit.ROWS)}）"
            f"下降应不超过 {figure(drop.value, Unit.SHARE)}（参数 max_row_drop_share，{drop.source}）、"
            f"增加应不超过 {figure(rise.value, Unit.SHARE)}（参数 max_row_rise_share，{rise.source}）",
            "本中心核对本次新增、撤销、到期与更正的数量是否属实（如新数据项首次全量入库）：属实的登记豁免后重新检查；"
            "不属实的，先查各部门最近一批的交付行数与退回率，再重新构建。",
            expected=f"{figure(least, Unit.ROWS)} 至 {figure(most, Unit.ROWS)}",
            observed="mart_rows",
        ),
    )


def versions(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """The pointer's own rules (ARCHITECTURE decision 3)."""
    for mart in candidate.marts:
        expectation_id = f"publication.{mart.name}.one_version"
        same_key = " and ".join(f"other.{column} = changed.{column}" for column in mart.key)
        yield ExpectNoRows(
            unexpected_rows_query=f"""
                select distinct {", ".join(f"changed.{column}" for column in mart.key)}
                from {changed_rows(candidate, mart.name, expectation_id)}
                inner join mart_store.{mart.name} as other on {same_key} and other.ctid <> changed.place
                where other.valid_from_publication <= {candidate.publication_id}
                    and coalesce(other.valid_to_publication > {candidate.publication_id}, true)
            """,
            **told(
                expectation_id,
                f"{mart.label} 每个主键（{'、'.join(mart.key)}）应只有一个版本",
                "本中心作废候选批次后重新构建；仍重复的，核对版本表的唯一索引。部门无需处理。",
                waivable=False,
            ),
        )
        yield ExpectNoRows(
            unexpected_rows_query=f"""
                select publication_id, state from ops.publication
                where state = 'discarded' and (
                    exists (
                        select from mart_store.{mart.name} as stored
                        where stored.valid_from_publication = publication.publication_id
                    )
                    or exists (
                        select from mart_store.{mart.name} as stored
                        where stored.valid_to_publication = publication.publication_id
                    )
                )
            """,
            **told(
                f"publication.{mart.name}.no_leftovers",
                f"{mart.label} 不应留有已作废候选批次的版本",
                "本中心再次作废该候选批次以清除残留，然后重新构建。部门无需处理。",
                unit=Unit.BATCHES,
                waivable=False,
            ),
        )
