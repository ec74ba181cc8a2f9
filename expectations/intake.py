"""Gate 1: the suite of a feed, compiled from its contract and judged on the profile of a batch.

Every bound stands in the contract (or, where no contract can know it, in ``ops.gate_parameter``); here are only the
kinds of expectation and their words. Column names are those of :mod:`credit_warehouse.quality.batch_profile`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import great_expectations as gx
import great_expectations.expectations as gxe

from credit_warehouse.contracts import FeedContract
from credit_warehouse.quality.batch_profile import FILL_RATE
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Severity
from credit_warehouse.quality.parameters import Parameters
from expectations.wording import told

Load = Literal["initial", "nightly"]

_LOAD_ZH = {"initial": "首次全量", "nightly": "每夜增量"}


def intake_suite(contract: FeedContract, load: Load, parameters: Parameters) -> gx.ExpectationSuite:
    """The suite of one feed for its first delivery (``initial``) or a later one (``nightly``).

    Raises:
        ParameterMissing: a number that no contract holds is not entered.
    """
    return gx.ExpectationSuite(
        name=f"intake.{contract.feed}",
        expectations=[
            *_ledger(contract),
            *_volume(contract, load),
            *_rejects(contract),
            *_drift(contract),
            *_fill_rates(contract),
            *_suspicions(contract, load, parameters),
        ],
    )


def _id(contract: FeedContract, name: str) -> str:
    return f"intake.{contract.feed}.{name}"


def _ledger(contract: FeedContract) -> Iterator[gxe.Expectation]:
    """Nothing lost, nothing doubled: the ledger agrees with itself, with the tables and with the sender."""
    ours = "本中心排查装载程序后重新装载该批次；查明之前不得接收，部门无需处理。"
    yield _equal(
        _id(contract, "ledger_balance"),
        "delivered_rows",
        "accounted_rows",
        "交付行数应等于入库、隔离、拒收行数之和",
        ours,
    )
    yield _equal(
        _id(contract, "raw_rows"), "accepted_rows", "raw_rows", "台账入库行数应与原始表实际行数一致", ours
    )
    yield _equal(
        _id(contract, "quarantine_rows"),
        "quarantined_rows",
        "quarantine_table_rows",
        "台账隔离行数应与隔离表实际行数一致",
        ours,
    )
    yield _equal(
        _id(contract, "declared_rows"),
        "delivered_rows",
        "declared_rows",
        "交付行数应与部门声明的行数一致",
        f"请{contract.terms.department.name}核对文件是否完整，更正清单或重新交付。",
        # Not every protocol declares a count.
        ignore_row_if="either_value_is_missing",
    )


def _volume(contract: FeedContract, load: Load) -> Iterator[gxe.Expectation]:
    bounds = getattr(contract.terms.volume, load)
    department, term = contract.terms.department.name, f"合同 volume.{load}"
    least, most = figure(bounds.min, Unit.ROWS), figure(bounds.max, Unit.ROWS)
    yield _between(
        "delivered_rows",
        minimum=bounds.min,
        **told(
            _id(contract, "volume_min"),
            f"{_LOAD_ZH[load]}交付应不少于 {least}（{term}）",
            f"请{department}核对是否漏传或只传了一部分，补齐后重新交付；业务量确实减少的，由本中心修订合同或登记豁免。",
            expected=f"≥ {least}",
        ),
    )
    yield _between(
        "delivered_rows",
        maximum=bounds.max,
        **told(
            _id(contract, "volume_max"),
            f"{_LOAD_ZH[load]}交付应不超过 {most}（{term}）",
            f"请{department}核对是否重复导出或误传全量；确需大批量交付的，先与本中心约定，由本中心修订合同或登记豁免。",
            expected=f"≤ {most}",
        ),
    )


def _rejects(contract: FeedContract) -> Iterator[gxe.Expectation]:
    budget = figure(contract.terms.reject_budget, Unit.SHARE)
    yield _between(
        "reject_rate",
        maximum=contract.terms.reject_budget,
        **told(
            _id(contract, "reject_rate"),
            f"退回率（隔离与拒收行数 ÷ 交付行数）应不超过 {budget}（合同 rejectBudget）",
            f"请{contract.terms.department.name}按退回清单逐行更正后整批重新交付；"
            "若多行违反同一条规则，由本中心核对合同是否与部门现行标准不一致。",
            expected=f"≤ {budget}",
            unit=Unit.SHARE,
        ),
    )


def _drift(contract: FeedContract) -> Iterator[gxe.Expectation]:
    """A missing required column always refuses; the rest is the contract's drift policy."""
    policy = contract.terms.drift
    department, version = contract.terms.department.name, contract.version
    kinds = (
        (
            "missing_required_columns",
            Severity.BLOCK,
            f"合同 {version} 版的必填列应一列不缺",
            f"请{department}按合同 {version} 版补齐表头后重新交付。",
        ),
        (
            "missing_optional_columns",
            _severity(policy.missing_optional),
            f"合同 {version} 版的选填列不应缺少（合同 drift.missingOptional）",
            f"请{department}确认该列是否停用：停用的由本中心修订合同，否则补齐表头后重新交付。",
        ),
        (
            "extra_columns",
            _severity(policy.extra_columns),
            f"不应出现合同 {version} 版以外的列（合同 drift.extraColumns）",
            f"合同以外的列不会入库。请{department}确认是否改名或新增：有目录依据的由本中心修订合同，没有的请部门停止报送。",
        ),
    )
    for metric, severity, description, next_steps in kinds:
        yield _between(
            metric,
            maximum=0,
            **told(
                _id(contract, metric),
                description,
                next_steps,
                expected=figure(0, Unit.COLUMNS),
                severity=severity,
                unit=Unit.COLUMNS,
            ),
        )


def _fill_rates(contract: FeedContract) -> Iterator[gxe.Expectation]:
    for field in contract.fields:
        least = field.terms.min_fill_rate
        if least is None:
            continue
        yield _between(
            f"{FILL_RATE}{field.name}",
            minimum=least,
            **told(
                _id(contract, f"fill_rate.{field.name}"),
                f"“{field.label}”（{field.name}）填充率应不低于 {figure(least, Unit.SHARE)}（合同 minFillRate）",
                f"请{contract.terms.department.name}核对导出程序是否漏取“{field.label}”，补齐后重新交付。",
                expected=f"≥ {figure(least, Unit.SHARE)}",
                unit=Unit.SHARE,
            ),
        )


def _suspicions(contract: FeedContract, load: Load, parameters: Parameters) -> Iterator[gxe.Expectation]:
    """Signs of trouble at the sender. They refuse nothing."""
    department = contract.terms.department.name
    duplicates = parameters.get("max_duplicate_share", contract.feed)
    most = figure(duplicates.value, Unit.SHARE)
    yield _between(
        "duplicate_share",
        maximum=duplicates.value,
        **told(
            _id(contract, "duplicate_share"),
            f"同一主键的重复行占比应不超过 {most}（参数 max_duplicate_share，{duplicates.source}）",
            f"重复行只采用最新一行。请{department}核对导出程序是否重复取数。",
            expected=f"≤ {most}",
            severity=Severity.WARN,
            unit=Unit.SHARE,
        ),
    )
    if load == "nightly":
        longest = contract.terms.max_age_days
        yield _between(
            "days_since_previous",
            maximum=longest,
            **told(
                _id(contract, "delivery_gap"),
                f"距上一批已接收数据应不超过 {figure(longest, Unit.DAYS)}（合同 maxAgeDays）",
                f"请{department}核对中断期间产生的数据是否已全部补报。",
                expected=f"≤ {figure(longest, Unit.DAYS)}",
                severity=Severity.WARN,
                unit=Unit.DAYS,
            ),
        )


def _severity(policy: Literal["warn", "refuse"]) -> Severity:
    return Severity.BLOCK if policy == "refuse" else Severity.WARN


def _between(
    metric: str, *, minimum: float | None = None, maximum: float | None = None, **words: Any
) -> gxe.Expectation:
    return gxe.ExpectColumnValuesToBeBetween(column=metric, min_value=minimum, max_value=maximum, **words)


def _equal(
    expectation_id: str, metric: str, other: str, description: str, next_steps: str, **options: Any
) -> gxe.Expectation:
    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=metric,
        column_B=other,
        **options,
        **told(expectation_id, description, next_steps, expected="两数相等"),
    )
