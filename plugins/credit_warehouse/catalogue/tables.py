"""The catalogue in the database: ``ops.catalogue_item`` and the tables of rules beside it, written from the files only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from credit_warehouse.catalogue.model import Catalogue, DisplayRegime, DisplayRule
from credit_warehouse.database import insert_rows

SEVERITIES = ("未定", "轻微", "一般", "较重", "严重")

Row = dict[str, Any]


def apply(connection: psycopg.Connection, catalogue: Catalogue) -> None:
    """Replace what the database knows of the catalogue. Idempotent; the next publication carries what changed."""
    tables = {
        "legal_basis": list(_bases(catalogue)),
        "catalogue_item": list(_items(catalogue)),
        "display_rule": list(_display_rules(catalogue)),
        "deadline": [deadline.model_dump() for deadline in catalogue.deadlines],
    }
    with connection.transaction():
        for table in tables:
            connection.execute(sql.SQL("delete from ops.{}").format(sql.Identifier(table)))
        for table in ("catalogue_item", "legal_basis", "display_rule", "deadline"):
            insert_rows(connection, table, tables[table])


def _items(catalogue: Catalogue) -> Iterator[Row]:
    for item in catalogue.items:
        for version in item.versions:
            yield {
                "catalogue_item_code": item.code,
                "catalogue_item_name": item.name,
                **version.model_dump(
                    include={
                        "version", "valid_from", "valid_to", "information_class", "act", "display_class",
                        "severity_source", "level", "serious_class",
                    }
                ),
                "department_codes": list(version.departments),
                "sharing_tier": version.tier,
                "use_months": version.use.months,
                "use_starts": version.use.starts,
                "use_source": version.use.source,
                "report_period": version.report.period,
                "report_sla_workdays": version.report.sla_workdays,
                "report_sla_source": version.report.source,
                "domain": item.domain,
                "withdrawn_on": item.withdrawn and item.withdrawn.on,
                "withdrawn_document": item.withdrawn and item.withdrawn.document,
                "withdrawn_reason": item.withdrawn and item.withdrawn.reason,
            }  # fmt: skip


def _bases(catalogue: Catalogue) -> Iterator[Row]:
    for item in catalogue.items:
        for version in item.versions:
            for basis in version.legal_basis:
                yield {
                    "catalogue_item_code": item.code,
                    "version": version.version,
                    "valid_from": basis.valid_from,
                    "valid_to": basis.valid_to,
                    "legal_basis_type": basis.type,
                    "legal_basis_name": basis.name,
                    "legal_basis_article": basis.article,
                    "source": basis.source,
                }


def _display_rules(catalogue: Catalogue) -> Iterator[Row]:
    for display_class in catalogue.display_classes:
        for regime in display_class.regimes:
            for severity in SEVERITIES:
                rule = _rule(regime, severity)
                yield {
                    "display_class": display_class.code,
                    "display_label": display_class.label,
                    "starts": display_class.starts,
                    "regime": regime.name,
                    "valid_from": regime.valid_from,
                    "valid_to": regime.valid_to,
                    "takes_over": regime.takes_over,
                    "severity": severity,
                    "shown": rule.shown,
                    "min_months": rule.min_months,
                    "max_months": rule.max_months,
                    "source": regime.source,
                }


def _rule(regime: DisplayRegime, severity: str) -> DisplayRule:
    """The rule of a severity; a regime that does not go by severity has one rule for all."""
    by_severity = {rule.severity: rule for rule in regime.rules}
    return by_severity[severity] if len(by_severity) > 1 else regime.rules[0]  # type: ignore[index]
