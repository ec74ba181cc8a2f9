"""The two gates. Importing this is cheap; judging loads Great Expectations (seconds)."""

import logging

from credit_warehouse.quality.findings import Finding, GateFailed, GateOutcome, GateReport, Severity, State
from credit_warehouse.quality.intake_gate import gate_intake
from credit_warehouse.quality.parameters import ParameterMissing, set_parameter
from credit_warehouse.quality.publication_gate import gate_publication
from credit_warehouse.quality.waivers import grant_waiver

# Loading the library writes a hundred lines at INFO, which a task log would keep.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

__all__ = [
    "Finding",
    "GateFailed",
    "GateOutcome",
    "GateReport",
    "ParameterMissing",
    "Severity",
    "State",
    "gate_intake",
    "gate_publication",
    "grant_waiver",
    "set_parameter",
]
