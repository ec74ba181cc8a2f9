"""The catalogue of public credit information (公共信用信息目录) and the rules that hang on it: the door of the warehouse.

What may be collected, on which legal basis, for whom to see and for how long stands in ``catalogue/*.yaml``
(ARCHITECTURE decision 7); here it is read, checked and written to the database.
"""

from credit_warehouse.catalogue.loader import CatalogueError, load_catalogue
from credit_warehouse.catalogue.model import Catalogue, CatalogueItem, ItemVersion

__all__ = ["Catalogue", "CatalogueError", "CatalogueItem", "ItemVersion", "load_catalogue"]
