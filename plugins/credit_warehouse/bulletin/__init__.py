"""The monthly bulletin (通报): one printable page per city and month, from one publication.

:func:`write` is the whole of it; ``figures`` reads the marts, ``charts`` draws, ``templates`` say how it looks.
"""

from credit_warehouse.bulletin.page import write

__all__ = ["write"]
