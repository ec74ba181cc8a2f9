"""Exchange upward: double-publicity records to the provincial platform, as numbered packages with receipts.

What may leave is decided in :mod:`.difference`, how a row looks in :mod:`.form` (from the contract alone), what left is
on record in ``ops.exchange_*`` (:mod:`.ledger`). A package number stands for the same bytes for ever.
"""
