"""The twelve feeds of the four departments, the register of organisations first: the others name its subjects."""

from simulator.feeds import court, market_regulation, social_security, tax
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
)

REGISTER = market_regulation.ENTERPRISE_REGISTRATION
FEEDS: dict[str, Feed] = {feed.id: feed for feed in _ALL}
SOURCES: tuple[str, ...] = ("court", "tax", "social_security", "market_regulation")


def feeds_of(source: str) -> list[Feed]:
    """The feeds one department supplies."""
    return [feed for feed in FEEDS.values() if feed.source == source]
