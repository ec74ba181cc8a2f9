"""The cities the warehouse can serve, from ``cities/*.yaml``; the setting ``CREDIT_CITY`` names the one it does."""

from credit_warehouse.cities.loader import CityError, load_cities, load_city
from credit_warehouse.cities.model import City

__all__ = ["City", "CityError", "load_cities", "load_city"]
