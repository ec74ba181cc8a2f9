"""No catalogue item, no basis, no document: no record (国办发〔2020〕49号, DOMAIN.md §4.2). None of these can be waived."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.quality.candidate import Candidate
from credit_warehouse.quality.figures import Unit
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import changed_rows
from expectations.wording import told

_KEYS = "record_key, feed, batch_id, source_row"

_RULES = (
    (
        "catalogue_item",
        """
        not exists (
            select from ops.catalogue_item as item
            inner join ops.legal_basis as basis using (catalogue_item_code, version)
            where item.catalogue_item_code = changed.catalogue_item_code and item.version = changed.catalogue_version
                and changed.decision_date between item.valid_from and coalesce(item.valid_to, 'infinity')
                and changed.decision_date between basis.valid_from and coalesce(basis.valid_to, 'infinity')
        )
        """,
        "每条信用记录应对应作出决定时有效的目录事项和法律依据",
        "本中心核对该数据项的合同与目录；目录外的信息不得归集，已入库的应撤下并告知部门停止报送。",
    ),
    (
        "legal_basis",
        "coalesce(btrim(legal_basis), '') = ''",
        "每条信用记录应载明法律依据",
        "本中心在目录（catalogue/）中补正法律依据；没有依据的不得归集，应撤下并告知部门停止报送。",
    ),
    (
        "document_no",
        "effect = 'adverse' and coalesce(btrim(document_no), '') = ''",
        "每条不良记录应载明认定该行为的文书号",
        "请报送部门补报文书号；补齐之前本中心将该记录退回，不得发布。",
    ),
    (
        "sharing_tier",
        "(sharing_tier in ('public', 'government', 'authorised')) is not true",
        "每条信用记录应有共享属性（公示、政务共享、授权查询）",
        "本中心在目录（catalogue/）中补正共享属性后重新构建。",
    ),
)


def expectations(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """Judged on the records that changed since each last held."""
    for name, broken, description, next_steps in _RULES:
        expectation_id = f"publication.credit_record.{name}"
        yield ExpectNoRows(
            unexpected_rows_query=f"""
                select {_KEYS} from {changed_rows(candidate, "queryable_credit_record", expectation_id)} where {broken}
            """,
            **told(expectation_id, description, next_steps, unit=Unit.RECORDS, waivable=False),
        )
