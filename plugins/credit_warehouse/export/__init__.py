"""A mart as a file, CSV or Parquet, with its dictionary beside it.

:func:`export` is the whole of it; ``reading`` asks the database as the reader it is for, ``files`` write, ``wording`` puts
the dictionary in words.
"""

from credit_warehouse.export.exporting import Exported, ExportRefused, Format, export

__all__ = ["ExportRefused", "Exported", "Format", "export"]
