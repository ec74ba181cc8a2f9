"""Pages that need no server: the leaders' page (总览) and the monthly bulletin (通报), each from one publication.

:func:`write_overview` and :func:`write` are the whole of it; ``figures`` and ``overview_figures`` read the marts, ``charts``
draws, ``templates`` say how it looks, ``printing`` makes file and PDF.
"""

from credit_warehouse.bulletin.overview import write_overview
from credit_warehouse.bulletin.page import write

__all__ = ["write", "write_overview"]
