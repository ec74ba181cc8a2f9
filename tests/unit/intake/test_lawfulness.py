"""What the law does not let in is counted as that, and as nothing else."""

from __future__ import annotations

import re

from credit_warehouse.contracts import load_contracts
from credit_warehouse.intake import lawfulness
from credit_warehouse.settings import get_settings

MART = "models/marts/governance/catalogue_refusal.sql"


def test_the_mart_of_refusals_counts_every_rule_of_lawfulness_and_no_other() -> None:
    rules = {rule.code for contract in load_contracts().values() for rule in lawfulness.rules(contract)}
    counted = re.search(r"rule in \(([^)]*)\)", (get_settings().dbt_project_dir / MART).read_text())
    assert counted is not None
    assert set(re.findall(r"'(\w+)'", counted[1])) == rules
