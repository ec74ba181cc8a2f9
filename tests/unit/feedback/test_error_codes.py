"""Every rule and every refusal has a number, each number one meaning."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import credit_warehouse
from credit_warehouse.contracts import load_contracts
from credit_warehouse.intake.error_codes import error_code, error_codes, refusal_code
from credit_warehouse.intake.rules import DUPLICATE_RULE, MALFORMED_RULE, compile_rules


def _refusals() -> set[str]:
    """First argument of every ``DeliveryRefused(…)`` in the package, and what gate 1 says."""
    found = {"gate"}
    for path in Path(credit_warehouse.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeliveryRefused":
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{path}: the code is not written out"
                found.add(str(code.value))
    return found


def test_every_rule_of_every_feed_has_a_number() -> None:
    used = set()
    for contract in load_contracts().values():
        for rule in compile_rules(contract):
            used.add(error_code(contract, rule.code, rule.field))
        for rule_name in (DUPLICATE_RULE, MALFORMED_RULE):
            used.add(error_code(contract, rule_name, ""))
    refusals = _refusals()
    assert len(refusals) > 10
    used |= {refusal_code(code) for code in refusals}
    numbers = {code.error_code for code in error_codes().values()}
    assert used <= numbers


def test_a_number_means_one_thing() -> None:
    assert max(Counter(code.error_code for code in error_codes().values()).values()) == 1


def test_the_numbers_departments_know_stand() -> None:
    """DOMAIN.md §5.3."""
    tax = load_contracts()["tax.tax_arrears"]
    assert error_code(tax, "type_number", "arrears_balance_cny") == 10001
    assert error_code(tax, "required", "taxpayer_name") == 10002
    assert error_code(tax, "required", "announced_on") == 10003
    assert error_code(tax, "type_date", "announced_on") == 10004
    assert error_code(tax, "required", "tax_kind") == 10005
    assert error_code(tax, DUPLICATE_RULE, "") == 20001
