"""How to take what a department has: one module per protocol, one function ``take`` each.

``take`` yields one :class:`~credit_warehouse.intake.sources.arrival.Arrival` per delivery it finds, complete and in
scratch; it does not know the ledger beyond what it is told was taken before.
"""

from credit_warehouse.intake.sources.arrival import Arrival, Taken
from credit_warehouse.intake.sources.exchange import take as take_exchange
from credit_warehouse.intake.sources.rest import take as take_rest
from credit_warehouse.intake.sources.sftp import take as take_sftp

TAKE = {"sftp": take_sftp, "rest": take_rest, "exchange": take_exchange}

__all__ = ["TAKE", "Arrival", "Taken"]
