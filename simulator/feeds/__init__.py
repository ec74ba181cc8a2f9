"""The feeds of the five departments. Order counts: the register of enterprises first, whose subjects the others name; a
feed of 2018 before its generation of 2016, and a feed of records before the changes of its records.
"""

from simulator.feeds import (
    changes,
    court,
    court_cases,
    double_publicity_2016,
    labour,
    market_lists,
    market_regulation,
    registers,
    social_security,
    tax,
    tax_ratings,
)
from simulator.schema import Feed

_ALL = (
    market_regulation.ENTERPRISE_REGISTRATION,
    market_regulation.ADMINISTRATIVE_PENALTY,
    market_regulation.ADMINISTRATIVE_LICENCE,
    market_regulation.ABNORMAL_OPERATION,
    court.DISHONEST_JUDGMENT_DEBTOR,
    court.JUDGMENT_ENFORCEMENT,
    tax.TAX_ARREARS,
    tax.TAXPAYER_A_GRADE,
    tax.MAJOR_TAX_VIOLATION,
    social_security.EMPLOYER_CONTRIBUTION,
    social_security.CONTRIBUTION_ARREARS,
    social_security.WAGE_ARREARS_LIST,
    double_publicity_2016.ADMINISTRATIVE_PENALTY_V2016,
    double_publicity_2016.ADMINISTRATIVE_LICENCE_V2016,
    market_lists.SERIOUS_VIOLATION_LIST,
    market_lists.SPOT_CHECK,
    market_lists.INDIVIDUAL_BUSINESS_ABNORMAL,
    market_lists.HONOUR,
    market_lists.CREDIT_COMMITMENT,
    court_cases.JUDGMENT,
    court_cases.CONSUMPTION_RESTRICTION,
    court_cases.TERMINATED_ENFORCEMENT,
    court_cases.BANKRUPTCY,
    tax_ratings.CREDIT_GRADE,
    tax_ratings.MUNICIPAL_ARREARS,
    labour.ENROLMENT,
    labour.LABOUR_VIOLATION,
    labour.LABOUR_GRADE,
    registers.POPULATION_REGISTER,
    registers.PROFESSIONAL_REGISTER,
    registers.INSTITUTION_REGISTER,
    registers.SOCIAL_ORGANISATION_REGISTER,
    changes.DEBTOR_CHANGE,
    changes.PENALTY_CHANGE,
    changes.VIOLATION_CHANGE,
    changes.WAGE_LIST_CHANGE,
)

REGISTER = market_regulation.ENTERPRISE_REGISTRATION
REGISTERS = tuple(feed for feed in _ALL if feed.is_register and feed.key == ("uscc",))
"""Registers of organisations: who stands in one is known."""
FEEDS: dict[str, Feed] = {feed.id: feed for feed in _ALL}
SOURCES: tuple[str, ...] = ("court", "tax", "social_security", "market_regulation", "data_administration")


def feeds_of(source: str) -> list[Feed]:
    """The feeds one department supplies."""
    return [feed for feed in FEEDS.values() if feed.source == source]
