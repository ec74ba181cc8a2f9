"""``python -m notebooks``: run every notebook against ``CREDIT_READER_URL`` and write it with its outputs."""

from __future__ import annotations

from notebooks.cells import NOTEBOOKS, write

for source in NOTEBOOKS:
    print(write(source))
