"""Pages beside Airflow's own: ``history`` reads the ledger, ``app`` serves it, the quality gates' results, the dictionary
and the bulletins. Every route asks Airflow who it is.
"""

from credit_warehouse.pages.app import app

__all__ = ["app"]
