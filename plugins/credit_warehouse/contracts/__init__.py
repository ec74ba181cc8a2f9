"""A feed is one contract: the only description of what a department delivers."""

from credit_warehouse.contracts.loader import ContractError, load_contract, load_contracts
from credit_warehouse.contracts.model import FeedContract, Field

__all__ = ["ContractError", "FeedContract", "Field", "load_contract", "load_contracts"]
