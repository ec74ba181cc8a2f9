"""Health of one of Airflow's processes or of Superset, for a container's health check: cheap, so neither is imported.

`python -m credit_warehouse.runtime.health scheduler http://airflow-api-server:8080` ends with 0 when it is healthy.
"""

import json
import sys
from urllib.error import URLError
from urllib.request import urlopen


def is_healthy(part: str, url: str) -> bool:
    """Whether `metadatabase`, `scheduler` or `dag_processor` is healthy, as the API server at `url` sees it; whether
    `superset` answers at `url`."""
    try:
        if part == "superset":
            with urlopen(f"{url}/health", timeout=5) as response:
                return bool(response.read() == b"OK")
        with urlopen(f"{url}/api/v2/monitor/health", timeout=5) as response:
            health = json.load(response)
    except (URLError, TimeoutError, ValueError):
        return False
    return bool((health.get(part) or {}).get("status") == "healthy")


if __name__ == "__main__":
    sys.exit(0 if is_healthy(*sys.argv[1:3]) else 1)
