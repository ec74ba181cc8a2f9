"""The cities in the database: ``ops.city`` and ``ops.district``, and the office's own city, from the files only."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from credit_warehouse.cities.model import City
from credit_warehouse.database import replace_rows


def apply(connection: psycopg.Connection, cities: Iterable[City], chosen: City) -> None:
    """Bring both tables to the files and say which city the office is of. Idempotent."""
    cities = list(cities)
    with connection.transaction():
        replace_rows(
            connection,
            "city",
            ["city"],
            [
                {
                    "city": city.code,
                    "city_name": city.name,
                    "level": city.level,
                    "province": city.province,
                    "prefecture": city.prefecture,
                    "region_code": city.region_code,
                    "office_name": city.office_name,
                    "provincial_platform": city.provincial_platform,
                    "source": city.source,
                }
                for city in cities
            ],
        )
        replace_rows(
            connection,
            "district",
            ["city", "district"],
            [
                {"city": city.code, "district": code, "district_name": name, "source": city.region_source}
                for city in cities
                for code, name in city.districts.items()
            ],
        )
        connection.execute(
            "update ops.office set city = %s, region_rules = %s", [chosen.code, chosen.region_rules]
        )
