"""What the graphs look like: names, order, retries, schedules, docs."""

from __future__ import annotations

from typing import Any

import pytest

from credit_warehouse.contracts import load_contracts

SOURCES = sorted({contract.source for contract in load_contracts().values()})
INTAKES = [f"intake_{source}" for source in SOURCES]
ALL = [*INTAKES, "publication", "publication_deadline", "housekeeping", "exchange", "bulletin"]


def test_every_file_imports(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert sorted(parsed["dags"]) == sorted(ALL)


@pytest.mark.parametrize("dag_id", ALL)
def test_a_dag_says_what_it_is(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    for section in ("**What**", "**When**", "**If red**", "**中文**"):
        assert section in dag["doc"]
    assert _is_chinese(dag["display_name"])
    assert dag["tags"]
    assert dag["paused"] is False, "a fresh installation would wait for a click nobody knows of"
    assert dag["serialized"]


@pytest.mark.parametrize("dag_id", ALL)
def test_a_task_says_what_it_is(dags: dict[str, Any], dag_id: str) -> None:
    for task_id, task in dags[dag_id]["tasks"].items():
        assert _is_chinese(task["display_name"]), task_id
        assert task["doc"], task_id
        assert task["owner"] == "信用办数据组", task_id
        assert task["timeout"], f"{task_id} may hang for ever"


@pytest.mark.parametrize("dag_id", INTAKES)
def test_an_intake_reads_pull_load_gate_settle_signal(dags: dict[str, Any], dag_id: str) -> None:
    tasks = dags[dag_id]["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "pull": [],
        "load": ["pull"],
        "gate": ["load"],
        "settle": ["gate"],
        "signal": ["settle"],
        "feedback": ["settle"],
        "all_in": ["load", "pull", "settle"],
    }


@pytest.mark.parametrize("dag_id", INTAKES)
def test_a_source_answers_even_when_its_feeds_fail(dags: dict[str, Any], dag_id: str) -> None:
    tasks = dags[dag_id]["tasks"]
    assert {tasks[name]["trigger_rule"] for name in ("load", "gate", "settle", "feedback")} == {"all_done"}
    assert tasks["all_in"]["trigger_rule"] == "all_success", "a missing feed must still turn the run red"
    assert tasks["signal"]["outlets"] == ["credit://night/answered"]


def test_only_a_pull_is_tried_again_whatever_the_error(dags: dict[str, Any]) -> None:
    """Elsewhere a second try is for a lost database only: the verdict of a check would be the same."""
    for dag_id in ALL:
        for task_id, task in dags[dag_id]["tasks"].items():
            if task_id in ("pull", "send_packages"):
                assert task["retries"] >= 2
                assert task["backoff"] == 2
                assert task["retry_default"] is None
            elif task_id != "signal":
                assert task["backoff"] == 0
                assert task["retry_default"] == "fail", (dag_id, task_id)
    # A gate that was killed or lost its database has given no verdict.
    assert dags["publication"]["tasks"]["gate_publication"]["retries"] >= 1


def test_publication_reads_candidate_build_gate_publish(dags: dict[str, Any]) -> None:
    tasks = dags["publication"]["tasks"]
    upstream = {name: set(task["upstream"]) for name, task in tasks.items()}
    assert upstream == {
        "open_candidate": set(),
        "build_core": {"open_candidate"},
        "build_marts": {"build_core"},
        "gate_publication": {"build_marts"},
        "publish": {"gate_publication"},
        "discard": {"build_core", "build_marts", "gate_publication", "publish"},
        "live": {"publish"},
        "propose_matches": {"publish"},
        "proposed": {"propose_matches"},
    }
    rules = {name: task["trigger_rule"] for name, task in tasks.items()}
    assert rules.pop("discard") == "one_failed"
    assert rules.pop("proposed") == "all_done", "candidates that cannot be proposed must not turn the run red"
    assert set(rules.values()) == {"all_success"}


def test_exchange_builds_then_sends(dags: dict[str, Any]) -> None:
    tasks = dags["exchange"]["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "build_package": [],
        "send_packages": ["build_package"],
    }


def test_one_run_at_a_time(dags: dict[str, Any]) -> None:
    """Nights of a source share watermarks, and there is one candidate at a time."""
    assert {dags[dag_id]["max_active_runs"] for dag_id in ALL} == {1}


def test_what_starts_what(dags: dict[str, Any]) -> None:
    assert dags["publication"]["tasks"]["publish"]["outlets"] == ["credit://night/published"]
    assert dags["exchange"]["schedule"] == "PartitionedAssetTimetable"
    assert dags["bulletin"]["schedule"] == "PartitionedAssetTimetable"
    assert {dags[dag_id]["schedule"] for dag_id in INTAKES} == {"CronPartitionTimetable"}
    assert dags["publication"]["schedule"] == "PartitionedAssetTimetable"
    assert dags["publication_deadline"]["schedule"] == "CronPartitionTimetable"
    assert dags["publication_deadline"]["tasks"]["answer_for_the_missing"]["outlets"] == [
        "credit://night/answered"
    ]


def _is_chinese(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text)
