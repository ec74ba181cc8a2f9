"""A night as a partition: which date a run is for, and what triggers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import CRONS, run_with_airflow

NEXT_RUN = """
import json
from datetime import timedelta
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

dag = DagSerialization.from_dict(DagSerialization.to_dict(DagBag().dags["intake_tax"]))
run = dag.timetable.next_dagrun_info_v2(
    last_dagrun_info=None, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)
)
local = run.run_after.in_timezone("Asia/Shanghai")
print(json.dumps({"hour": local.hour, "day_before": str((local - timedelta(days=1)).date()), "key": run.partition_key}))
"""

OFF = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
print(json.dumps({"errors": bag.import_errors, "dags": {
    dag.dag_id: [type(dag.timetable).__name__ if hasattr(dag, "timetable") else type(dag.schedule).__name__]
    for dag in bag.dags.values()
}}))
"""

KEYS = """
import json
from unittest.mock import patch
from airflow.sdk.exceptions import AirflowFailException
from credit_warehouse.operators import nights

found = {}
for key in ("2026-03-02", None, "", "last night", "2026-02-30"):
    with patch.object(nights, "get_current_context", lambda: {"partition_key": key, "run_id": "manual__1"}):
        try:
            night = nights.this_night()
            found[str(key)] = [str(night.business_date), night.run_id]
        except AirflowFailException as failure:
            found[str(key)] = str(failure)
print(json.dumps(found))
"""


def test_the_run_at_one_is_for_the_day_before(tmp_path: Path) -> None:
    run = run_with_airflow(NEXT_RUN, tmp_path, **CRONS)
    assert run["hour"] == 1
    assert run["key"] == run["day_before"]


def test_without_a_cron_the_wall_clock_starts_nothing(tmp_path: Path) -> None:
    off = {"CREDIT_NIGHTLY_SCHEDULE": "off", "CREDIT_PUBLICATION_DEADLINE": "off"}
    found: dict[str, Any] = run_with_airflow(OFF, tmp_path, **off)
    assert found["errors"] == {}
    schedules = {dag_id: name for dag_id, (name,) in found["dags"].items()}
    assert schedules.pop("publication") == "PartitionedAssetTimetable"
    assert schedules.pop("exchange") == "PartitionedAssetTimetable"
    assert schedules.pop("bulletin") == "PartitionedAssetTimetable"
    assert schedules.pop("housekeeping") == "CronTriggerTimetable", "it touches no data"
    assert set(schedules.values()) == {"PartitionedAtRuntime"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = run_with_airflow(KEYS, tmp_path_factory.mktemp("keys"))
    return found


def test_the_business_date_is_the_partition_key(keys: dict[str, Any]) -> None:
    assert keys["2026-03-02"] == ["2026-03-02", "manual__1"]


@pytest.mark.parametrize("key", ["None", "", "last night", "2026-02-30"])
def test_a_run_without_a_date_says_what_to_do(keys: dict[str, Any], key: str) -> None:
    assert "请带上业务日期重新触发" in keys[key]
