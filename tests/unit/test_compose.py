"""docker-compose.yml is not run in the tests, so everything it names is looked up in the code."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import typer
import yaml

from credit_warehouse.runtime import databases, envfile, environment, superset, verbs
from credit_warehouse.settings import PROJECT_DIR, Settings

COMPOSE = PROJECT_DIR / "docker-compose.yml"
EXAMPLE = PROJECT_DIR / ".env.example"
DOCKERFILE = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}
ONE_SHOT = {"prepare", "load-dashboards"}
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
VALUE = re.compile(VARIABLE.pattern + r"[^}]*\}")


def test_the_file_follows_the_compose_specification() -> None:
    schema = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    validator = jsonschema.validators.validator_for(parsed := json.loads(schema.read_text(encoding="utf-8")))
    problems = [error.message for error in validator(parsed).iter_errors(DOCUMENT)]
    assert problems == []


def test_every_interpolated_variable_is_documented_and_every_documented_one_used() -> None:
    used = set(VARIABLE.findall(COMPOSE.read_text(encoding="utf-8")))
    assert used == set(envfile.read(EXAMPLE))


def test_the_example_holds_no_secret() -> None:
    secret = re.compile(r"PASSWORD|PEPPER|KEY|SECRET")
    assert {
        name: value for name, value in envfile.read(EXAMPLE).items() if secret.search(name) and value
    } == {}


@pytest.mark.parametrize("service", OURS)
def test_every_command_exists(service: str) -> None:
    command = SERVICES[service]["command"]
    if command[0] == "credit-warehouse":
        assert command[1] in _commands_of("credit_warehouse.cli")
    elif command[:3] == ["python", "-m", "simulator"]:
        assert command[3] in _commands_of("simulator.cli")
    else:
        assert command[0] == "airflow"
        assert command[1] in {"api-server", "scheduler", "dag-processor"}
        assert shutil.which("airflow", path=str(Path(sys.executable).parent))


@pytest.mark.parametrize("service", [name for name in OURS if "healthcheck" in OURS[name]])
def test_every_health_check_exists(service: str) -> None:
    test = SERVICES[service]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-m"]
    assert importlib.util.find_spec(test[3]) is not None
    if test[3] == "simulator":
        assert test[4] in _commands_of("simulator.cli")
    elif test[4] == "superset":
        assert test[5].endswith(f":{SERVICES[service]['environment']['CREDIT_SUPERSET_PORT']}")
    else:
        assert test[4] in {"metadatabase", "scheduler", "dag_processor"}
        # It asks the port on which the API server listens.
        assert test[5].endswith(f":{SERVICES['airflow-api-server']['environment']['AIRFLOW__API__PORT']}")


def test_every_variable_is_one_that_the_code_reads() -> None:
    given = {name for service in OURS.values() for name in service.get("environment", {})}
    given |= set(re.findall(r"^(?:ENV|   ) ([A-Z][A-Z0-9_]+)=", DOCKERFILE, re.MULTILINE))
    credit = {name for name in given if name.startswith("CREDIT_")}
    assert credit - _variables_in_the_code() == set()
    connections = {name for name in given if name.startswith("AIRFLOW_CONN_")}
    reached = {*_sources(), Settings().upward_platform}
    assert connections == {f"AIRFLOW_CONN_{system.upper()}" for system in reached}
    airflow = {name for name in given if name.startswith("AIRFLOW__")}
    assert airflow - _airflow_options() == set()
    rest = given - credit - connections - airflow
    assert rest == {
        "AIRFLOW_HOME", "PYTHONPATH", "PYTHONUNBUFFERED",
        "DO_NOT_TRACK", "DBT_SEND_ANONYMOUS_USAGE_STATS", "GX_ANALYTICS_ENABLED",
    }  # fmt: skip


def test_the_settings_that_make_up_writes_are_known_to_airflow(tmp_path: Path) -> None:
    values = environment.prepare(tmp_path).values
    assert {name for name in values if name.startswith("AIRFLOW__")} - _airflow_options() == set()


def test_only_the_web_uis_are_published_and_only_on_loopback_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    ours = SERVICES["airflow-api-server"]["environment"]["AIRFLOW__API__PORT"]
    theirs = SERVICES["superset"]["environment"]["CREDIT_SUPERSET_PORT"]
    assert published == {
        "airflow-api-server": [
            f"${{CREDIT_AIRFLOW_ADDRESS:-127.0.0.1}}:${{CREDIT_AIRFLOW_PORT:-8080}}:{ours}"
        ],
        "superset": [f"${{CREDIT_SUPERSET_ADDRESS:-127.0.0.1}}:${{CREDIT_SUPERSET_PORT:-8088}}:{theirs}"],
    }


def test_images_are_pinned_and_run_as_an_ordinary_user() -> None:
    *images, last = re.findall(r"^FROM (\S+) AS \w+$", DOCKERFILE, re.MULTILINE)
    assert {re.sub(r"\d+-slim", "N-slim", image) for image in images} == {"python:3.11.N-slim-bookworm"}
    assert len(set(images)) == 1 and last == "app"
    assert re.fullmatch(r"postgres:18\.\d+-bookworm", SERVICES["postgres"]["image"])
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["credit"]
    assert DOCKERFILE.index("USER credit") < DOCKERFILE.index("CMD ")
    assert all(service["cap_drop"] == ["ALL"] for service in OURS.values())


def test_every_service_is_built_from_a_stage_that_has_what_it_needs() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    built = {name: service["build"]["target"] for name, service in OURS.items()}
    assert set(built.values()) <= set(stages)
    assert {name for name, target in built.items() if target == "dashboards"} == {
        "load-dashboards",
        "superset",
    }
    images = {(service["image"], service["build"]["target"]) for service in OURS.values()}
    assert len(images) == len({image for image, _ in images}) == 2
    # Superset's interpreter is where the environment was made: one that was moved does not start.
    (made,) = re.findall(r"^RUN python -m venv (\S+)", DOCKERFILE, re.MULTILINE)
    assert f"COPY --from=superset {made} {made}\n" in DOCKERFILE
    assert f"ENV CREDIT_DASHBOARDS_PYTHON={made}/bin/python\n" in DOCKERFILE


def test_only_the_one_shot_service_knows_the_superuser() -> None:
    knowing = {name for name in OURS if "POSTGRES_PASSWORD" in json.dumps(OURS[name])}
    assert knowing == {"prepare"}


def test_superset_is_told_what_its_code_needs_and_not_the_owners_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[tuple[str, list[str], dict[str, str]]] = []
    _be(monkeypatch, "superset", tmp_path)
    monkeypatch.setattr(os, "execve", lambda *words: started.append(words))
    command = SERVICES["superset"]["command"]
    verbs.serve_dashboards(command[command.index("--host") + 1])
    ((program, words, told),) = started
    assert program == words[0] == sys.executable
    assert (
        words[words.index("--bind") + 1]
        == f"0.0.0.0:{SERVICES['superset']['environment']['CREDIT_SUPERSET_PORT']}"
    )
    config = (PROJECT_DIR / "dashboards" / "superset" / "superset_config.py").read_text(encoding="utf-8")
    assert set(re.findall(r"os\.environ\[\"(\w+)\"\]", config)) <= told.keys()
    assert "WAREHOUSE_PASSWORD" not in json.dumps(SERVICES["superset"])


def test_the_dashboards_are_loaded_with_what_the_service_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _be(monkeypatch, "load-dashboards", tmp_path)
    plans: list[dict[str, Any]] = []

    def run(command: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[bytes]:
        plans.append(json.loads(Path(command[2]).read_text(encoding="utf-8")))
        assert env["CREDIT_SUPERSET_DATABASE_URL"].endswith("@postgres:5432/superset")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert superset.load(environment.of_this_machine())
    assert "postgresql+psycopg2://postgres:5432/credit" in plans[0]["files"]["databases/warehouse.yaml"]
    assert (
        "http://127.0.0.1:8080/office/quality/index.html" in plans[0]["files"]["dashboards/collection.yaml"]
    )
    assert {person["name"] for person in plans[0]["people"]} >= {"admin", "leader", "analyst", "tax"}
    assert "value of CREDIT_WAREHOUSE_PASSWORD" not in json.dumps(plans)


def test_the_databases_that_prepare_makes_are_those_the_services_use() -> None:
    made = {database.name for database in databases.ours(_told("prepare"))}
    used = {
        urlsplit(value).path.lstrip("/")
        for name in OURS
        for variable, value in _told(name).items()
        if variable.endswith("DATABASE_URL")
    }
    assert used == {"credit", "airflow", "superset"} == made


def test_long_running_services_restart_and_are_watched() -> None:
    for name, service in SERVICES.items():
        if name not in ONE_SHOT:
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service, name
    for name in ONE_SHOT:
        waiting = [service.get("depends_on", {}) for service in OURS.values()]
        assert {"condition": "service_completed_successfully"} in [found.get(name) for found in waiting]


def test_folders_of_volumes_are_made_for_the_image_user() -> None:
    made = re.search(r"install -d -o credit (.+)$", DOCKERFILE, re.MULTILINE)
    assert made is not None
    mounted = {volume.split(":")[1] for service in OURS.values() for volume in service.get("volumes", [])}
    assert mounted <= set(made.group(1).split())


def _told(service: str) -> dict[str, str]:
    """What a service's process is told without the simulator: each variable of `.env` filled in, with a value naming it."""
    filled = {name: value or f"value of {name}" for name, value in envfile.read(EXAMPLE).items()}
    return {
        name: VALUE.sub(lambda found: filled[found[1]], value)
        for name, value in SERVICES[service].get("environment", {}).items()
        if ":+" not in value
    }


def _be(monkeypatch: pytest.MonkeyPatch, service: str, home: Path) -> None:
    """Give this process a service's environment, with a home of the test and this interpreter for Superset's."""
    for name in [name for name in os.environ if name.startswith(("CREDIT_", "AIRFLOW_"))]:
        monkeypatch.delenv(name)
    told = {**_told(service), "CREDIT_HOME": str(home), "CREDIT_DASHBOARDS_PYTHON": sys.executable}
    for name, value in told.items():
        monkeypatch.setenv(name, value)


def _commands_of(module: str) -> set[str]:
    app = import_module(module).app
    return set(typer.main.get_command(app).commands)


def _sources() -> set[str]:
    return {contract.parent.name for contract in (PROJECT_DIR / "contracts").glob("*/*.yaml")}


def _variables_in_the_code() -> set[str]:
    """Settings' own names, and every CREDIT_… that a module names."""
    named = {f"CREDIT_{field.upper()}" for field in Settings.model_fields}
    for folder in ("plugins/credit_warehouse", "simulator"):
        for module in (PROJECT_DIR / folder).rglob("*.py"):
            named |= set(re.findall(r"\"(CREDIT_[A-Z_]+)\"", module.read_text(encoding="utf-8")))
    return named


def _airflow_options() -> set[str]:
    from airflow.configuration import conf

    return {
        f"AIRFLOW__{section}__{option}".upper()
        for section, description in conf.configuration_description.items()
        for option in description.get("options", {})
    }
