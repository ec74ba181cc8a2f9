"""What Airflow makes of a night, good or bad: a real scheduler, the real DAG files, stand-ins for the verbs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from credit_warehouse.contracts import load_contracts
from credit_warehouse.settings import get_settings
from tests.e2e.airflow_with_stand_ins import Airflow, running

SOURCES = sorted({contract.source for contract in load_contracts().values()})
INTAKES = [f"intake_{source}" for source in SOURCES]
RETRIES = 2


@pytest.fixture(scope="module")
def airflow(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    name = f"airflow_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDIT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/the_verbs_are_stand_ins")
        patch.setenv("CREDIT_AIRFLOW_DATABASE_URL", postgres_server.rsplit("/", 1)[0] + f"/{name}")
        patch.setenv("CREDIT_PULL_RETRIES", str(RETRIES))
        patch.setenv("CREDIT_PULL_RETRY_SECONDS", "1")
        for source in (*SOURCES, "province"):
            patch.setenv(f"AIRFLOW_CONN_{source.upper()}", f"http://{source}.test:8001")
        with running(tmp_path_factory.mktemp("orchestration")) as started:
            yield started
    get_settings.cache_clear()
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def first_night(airflow: Airflow) -> str:
    """A night on which everything went well."""
    night = "2026-03-02"
    intakes = airflow.trigger(*INTAKES, date=night)
    assert {run.state for run in intakes.values()} == {"success"}
    for dag_id, run in intakes.items():
        feeds = [f for f, contract in load_contracts().items() if f"intake_{contract.source}" == dag_id]
        for verb in ("pull", "load"):
            assert sorted(call["what"] for call in airflow.calls(run, verb)) == feeds
            assert {call["date"] for call in airflow.calls(run, verb)} == {night}
        assert {call["with"] for call in airflow.calls(run, "pull")} == {
            f"{dag_id.removeprefix('intake_')}.test"
        }
    published = airflow.publications(night)[0]
    assert published.state == "success"
    assert airflow.states(published)["discard"] == "skipped"
    assert [call["what"] for call in airflow.calls(published, "build")] == ["core", "marts"]
    assert [call["with"] for call in airflow.calls(published, "publish")] == [41]
    return night


@pytest.mark.parametrize(
    ("dag_id", "verbs"),
    [("bulletin", ["write_bulletins"]), ("exchange", ["exchange_build", "exchange_send"])],
)
def test_what_follows_a_publication_is_done_for_its_night(
    airflow: Airflow, first_night: str, dag_id: str, verbs: list[str]
) -> None:
    (run, *_) = airflow.runs(dag_id, first_night)
    assert run.state == "success"
    for verb in verbs:
        assert [call["date"] for call in airflow.calls(run, verb)] == [first_night]


def test_a_night_run_twice_publishes_again_only_if_something_changed(
    airflow: Airflow, first_night: str
) -> None:
    before = len(airflow.publications(first_night))
    runs = airflow.trigger("intake_court", date=first_night)
    assert runs["intake_court"].state == "success"
    again = airflow.publications(first_night, before + 1)[-1]
    assert len(airflow.calls(again, "publish")) == 1

    (airflow.home / "fresh").unlink(missing_ok=True)
    runs = airflow.trigger("publication_deadline", date=first_night)
    assert runs["publication_deadline"].state == "success"
    idle = airflow.publications(first_night, before + 2)[-1]
    assert idle.state == "success"
    assert airflow.states(idle)["publish"] == "skipped"


def test_nights_out_of_order_and_a_source_that_is_down(airflow: Airflow, first_night: str) -> None:
    later, earlier = "2026-03-05", "2026-03-04"
    with airflow.failing("down_tax"):
        runs = airflow.trigger(*INTAKES, date=later)
    assert {dag_id for dag_id, run in runs.items() if run.state == "failed"} == {"intake_tax"}
    states = airflow.states(runs["intake_tax"])
    assert states["pull"] == "failed"
    assert states["load"] == "success", "there is nothing to load"
    assert states["settle"] == "success", "it answers all the same"
    assert states["feedback"] == "skipped", "its package waits for the next night"
    pulls = [call["what"] for call in airflow.calls(runs["intake_tax"], "pull")]
    assert len(pulls) == len(set(pulls)) * (1 + RETRIES)
    assert airflow.calls(airflow.publications(later)[0], "publish"), "the others do not wait for it"

    runs = airflow.trigger(*INTAKES, date=earlier)
    assert {run.state for run in runs.values()} == {"success"}
    assert airflow.calls(airflow.publications(earlier)[0], "publish")

    before = len(airflow.publications(later))
    runs = airflow.trigger("intake_tax", date=later)
    assert runs["intake_tax"].state == "success"
    assert airflow.calls(airflow.publications(later, before + 1)[-1], "publish"), "late data is published"


def test_a_failed_gate_discards_the_candidate_and_says_why(airflow: Airflow, first_night: str) -> None:
    before = len(airflow.publications(first_night))
    with airflow.failing("gate"):
        airflow.trigger("intake_court", date=first_night)
        failed = airflow.publications(first_night, before + 1)[-1]
    assert failed.state == "failed"
    states = airflow.states(failed)
    assert (states["gate_publication"], states["publish"]) == ("failed", "upstream_failed")
    assert len(airflow.calls(failed, "gate_publication")) == 1, "a check is not tried again"
    assert airflow.calls(failed, "publish") == []
    (discarded,) = airflow.calls(failed, "discard")
    assert (discarded["with"], discarded["what"]) == (41, "覆盖率应在 0 至 100 之间：3 行不符，请检查分母")
    assert "3 行不符" in airflow.log(failed, "gate_publication")


def test_a_night_without_candidates_is_published_all_the_same(airflow: Airflow, first_night: str) -> None:
    before = len(airflow.publications(first_night))
    with airflow.failing("matching"):
        airflow.trigger("intake_court", date=first_night)
        published = airflow.publications(first_night, before + 1)[-1]
    assert published.state == "success"
    assert airflow.states(published)["propose_matches"] == "failed"
    assert airflow.states(published)["live"] == "success"


@pytest.mark.parametrize("accident", ["database", "killed"])
def test_a_lost_database_or_process_is_tried_again(airflow: Airflow, first_night: str, accident: str) -> None:
    with airflow.failing(accident):
        runs = airflow.trigger("intake_court", date=first_night)
    assert runs["intake_court"].state == "success"
    tries = [task.try_number for task in airflow.api.tasks(runs["intake_court"]) if task.task_id == "load"]
    assert tries == [2]


def test_anything_else_is_not_tried_again_and_harms_no_other_source(
    airflow: Airflow, first_night: str
) -> None:
    with airflow.failing("bug"):
        runs = airflow.trigger("intake_court", date=first_night)
    run = runs["intake_court"]
    assert run.state == "failed"
    assert len(airflow.calls(run, "load")) == len(airflow.calls(run, "pull"))
    assert airflow.states(run)["settle"] == "success"


def test_the_deadline_answers_for_the_missing(airflow: Airflow, first_night: str) -> None:
    night = "2026-03-03"
    *answering, missing = INTAKES
    runs = airflow.trigger(*answering, date=night)
    assert {airflow.states(run)["signal"] for run in runs.values()} == {"skipped"}
    assert airflow.api.runs("publication", night) == []

    runs = airflow.trigger("publication_deadline", date=night)
    answers = airflow.calls(runs["publication_deadline"], "settle")
    assert [answer["what"] for answer in answers] == [missing.removeprefix("intake_")]
    assert airflow.calls(airflow.publications(night)[0], "publish")
