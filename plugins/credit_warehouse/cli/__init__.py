"""``credit-warehouse``: what a data engineer does from a shell."""

from credit_warehouse.cli.app import app

__all__ = ["app"]
