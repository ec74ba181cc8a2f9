"""docker-compose.yml is not run in the tests, so everything it names is looked up in the code."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from credit_warehouse.runtime import envfile
from credit_warehouse.settings import PROJECT_DIR, Settings

COMPOSE = PROJECT_DIR / "docker-compose.yml"
EXAMPLE = PROJECT_DIR / ".env.example"
DOCKERFILE = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


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
    from credit_warehouse.runtime import environment

    values = environment.prepare(tmp_path).values
    assert {name for name in values if name.startswith("AIRFLOW__")} - _airflow_options() == set()


def test_only_the_web_ui_is_published_and_only_on_loopback_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    port = SERVICES["airflow-api-server"]["environment"]["AIRFLOW__API__PORT"]
    assert published == {
        "airflow-api-server": [
            f"${{CREDIT_AIRFLOW_ADDRESS:-127.0.0.1}}:${{CREDIT_AIRFLOW_PORT:-8080}}:{port}"
        ]
    }


def test_images_are_pinned_and_run_as_an_ordinary_user() -> None:
    assert re.search(r"^FROM python:3\.11\.\d+-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"postgres:18\.\d+-bookworm", SERVICES["postgres"]["image"])
    assert DOCKERFILE.index("USER credit") < DOCKERFILE.index("CMD ")
    assert all(service["cap_drop"] == ["ALL"] for service in OURS.values())


def test_only_the_one_shot_service_knows_the_superuser() -> None:
    knowing = {name for name in OURS if "POSTGRES_PASSWORD" in json.dumps(OURS[name])}
    assert knowing == {"prepare"}


def test_long_running_services_restart_and_are_watched() -> None:
    for name, service in SERVICES.items():
        if name != "prepare":
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service, name


def test_folders_of_volumes_are_made_for_the_image_user() -> None:
    made = re.search(r"install -d -o credit (.+)$", DOCKERFILE, re.MULTILINE)
    assert made is not None
    mounted = {volume.split(":")[1] for service in OURS.values() for volume in service.get("volumes", [])}
    assert mounted <= set(made.group(1).split())


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
