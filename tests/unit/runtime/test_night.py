"""Following a night over Airflow's API, and judging it by the answer key."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from credit_warehouse.runtime import answer_key, health, night
from credit_warehouse.runtime.airflow_api import AirflowApi, AirflowApiError, Run, TaskInstance
from credit_warehouse.runtime.board import Board
from credit_warehouse.runtime.night_report import DepartmentNight

NIGHT = date(2026, 3, 2)
INTAKES = ["intake_court", "intake_tax"]


class FakeApi(AirflowApi):
    """Runs that end at their second look; publication starts when all intakes have ended."""

    def __init__(self, ends: dict[str, str], publications: int = 1) -> None:
        self.ends, self.publications = ends, publications
        self.looks: dict[str, int] = {}
        self.triggered: list[str] = []

    def trigger(self, dag_id: str, partition_key: str, conf: Any = None) -> Run:
        self.triggered.append(dag_id)
        return self.run(dag_id, "run")

    def run(self, dag_id: str, run_id: str) -> Run:
        name = dag_id + run_id
        self.looks[name] = self.looks.get(name, -1) + 1
        state = self.ends.get(dag_id, "success") if self.looks[name] > 1 else "running"
        return Run(dag_id, run_id, state, NIGHT.isoformat(), "")

    def runs(self, dag_id: str, partition_key: str) -> list[Run]:
        old = Run("publication", "yesterday", "failed", NIGHT.isoformat(), "")
        if not all(self.looks.get(f"{dag}run", 0) > 1 for dag in self.triggered) or not self.triggered:
            return [old]
        return [old] + [
            Run("publication", f"new {number}", "queued", NIGHT.isoformat(), "")
            for number in range(self.publications)
        ]

    def tasks(self, run: Run) -> list[TaskInstance]:
        state = run.state if run.finished else "running"
        return [TaskInstance("pull", "拉取", state, 1)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night.time, "sleep", lambda _: None)


def play(api: AirflowApi) -> tuple[night.Night, str]:
    output = StringIO()
    played = night.play(api, INTAKES, NIGHT, Console(file=output, width=100), lambda: None)
    return played, output.getvalue()


def test_a_night_ends_when_every_publication_it_led_to_has_ended() -> None:
    played, output = play(FakeApi({}, publications=2))
    assert [run.dag_id for run in played.runs] == [*INTAKES, "publication", "publication"]
    assert all(run.finished for run in played.runs)
    assert played.was_published
    assert played.failed == []
    assert "✓ intake_court · 拉取" in output


def test_red_tasks_are_named_and_earlier_publications_do_not_count() -> None:
    played, _ = play(FakeApi({"intake_tax": "failed"}))
    assert played.failed == [night.FailedTask("intake_tax", "pull", "拉取")]


def test_no_publication_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "SIGNAL_SECONDS", 0)
    played, _ = play(FakeApi({}, publications=0))
    assert not played.was_published


def test_a_dead_process_ends_the_wait() -> None:
    def dead() -> None:
        raise RuntimeError("scheduler ended")

    with pytest.raises(RuntimeError, match="scheduler ended"):
        night.play(FakeApi({}), INTAKES, NIGHT, Console(file=StringIO()), dead)


def test_the_board_tells_each_task_once() -> None:
    output = StringIO()
    run = Run("intake_tax", "run", "running", NIGHT.isoformat(), "")
    task = TaskInstance("load", "装载", "success", 1)
    with Board(Console(file=output, width=100)) as board:
        board.show(run, [task])
        board.show(run, [task, replace(task, task_id="gate", label="质量门", state="failed")])
    assert output.getvalue().count("装载") == 1
    assert "✗ intake_tax · 质量门" in output.getvalue()


def test_the_answer_key_is_compared_per_department(tmp_path: Path) -> None:
    folder = tmp_path / "answer_keys" / "2026-03-02"
    folder.mkdir(parents=True)
    feeds = {
        "court.a": {"delivered": 10, "accepted": 8, "quarantined": 2},
        "court.b": {"delivered": 5, "accepted": 5, "quarantined": 0},
        "tax.c": {"delivered": 3, "accepted": 3, "quarantined": 0},
    }
    (folder / "answer_key.json").write_text(json.dumps({"feeds": feeds}))
    key = answer_key.expected(tmp_path, NIGHT)
    assert key["court"] == answer_key.Rows(15, 13, 2)
    court = DepartmentNight("court", "法院", 15, 13, 2, ("succeeded",))
    tax = DepartmentNight("tax", "税务", 3, 2, 1, ("succeeded",))
    assert answer_key.differences(key, [court, replace(tax, accepted=3, rejected=0)]) == []
    assert answer_key.differences(key, [court, tax]) == [
        "tax: accepted is 2, the answer key says 3",
        "tax: rejected is 1, the answer key says 0",
    ]
    assert len(answer_key.differences(key, [])) == 5


def api_answering(answers: dict[tuple[str, str], httpx.Response]) -> tuple[AirflowApi, list[httpx.Request]]:
    """A client whose server gives fixed answers, and the requests it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answers[request.method, request.url.path]

    api = AirflowApi("http://airflow", "admin", "secret")
    api._client = httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(handle))
    return api, seen


def test_the_client_logs_in_once_and_carries_the_token() -> None:
    api, seen = api_answering(
        {
            ("POST", "/auth/token"): httpx.Response(201, json={"access_token": "t"}),
            ("GET", "/api/v2/dags"): httpx.Response(200, json={"dags": [{"dag_id": "a", "is_paused": True}]}),
        }
    )
    assert api.dags() == {"a": True}
    assert api.dags() == {"a": True}
    assert [request.url.path for request in seen] == ["/auth/token", "/api/v2/dags", "/api/v2/dags"]
    assert seen[1].headers["Authorization"] == "Bearer t"


def test_a_refused_call_says_what_airflow_answered() -> None:
    api, _ = api_answering(
        {
            ("POST", "/auth/token"): httpx.Response(201, json={"access_token": "t"}),
            ("POST", "/api/v2/dags/x/dagRuns"): httpx.Response(404, text="no such DAG"),
        }
    )
    with pytest.raises(AirflowApiError, match="404 no such DAG"):
        api.trigger("x", "2026-03-02")


def test_a_wrong_password_is_said_plainly() -> None:
    api, _ = api_answering({("POST", "/auth/token"): httpx.Response(401, text="Invalid credentials")})
    with pytest.raises(AirflowApiError, match="login to Airflow failed: 401"):
        api.dags()


def test_health_of_an_unreachable_server_is_bad() -> None:
    assert not health.is_healthy("scheduler", "http://127.0.0.1:1")
