"""The pages in Airflow's menu, mounted as Airflow mounts plugins: every one wants a login, and then answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from credit_warehouse.database import connect

from .conftest import run_with_airflow

ASK = """
import json, sys
from types import SimpleNamespace
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jwt import InvalidTokenError
from airflow import plugins_manager
from airflow.api_fastapi import app as airflow_app
from airflow.api_fastapi.core_api import security

loaded_early = "credit_warehouse.pages" in sys.modules
views = plugins_manager._get_ui_plugins()[0]
root = FastAPI()
airflow_app.init_plugins(root)

class Manager:
    async def get_user_from_token(self, token):
        if token not in ("reader", "stranger"):
            raise InvalidTokenError
        return SimpleNamespace(name=token)
    def is_authorized_view(self, *, access_view, user):
        return user.name == "reader"

security.get_auth_manager = Manager
paths = [view["href"] for view in views] + OTHERS

def ask(path, token=None):
    client = TestClient(root, cookies={"_token": token} if token else None)
    answer = client.get(path)
    return {"status": answer.status_code, "text": answer.text[:20000], "policy": answer.headers.get("content-security-policy")}

print(json.dumps({
    "early": loaded_early,
    "views": views,
    "errors": plugins_manager.get_import_errors(),
    "anonymous": {path: ask(path) for path in paths},
    "forged": {path: ask(path, "forged") for path in paths},
    "stranger": {path: ask(path, "stranger") for path in paths},
    "reader": {path: ask(path, "reader") for path in paths},
}))
"""
OTHERS = [
    "/office/bulletins/惠州市-总览.html",
    "/office/quality/../runtime.env",
    "/office/quality/%2e%2e/runtime.env",
    "/office/bulletins/..%2fruntime.env",
    "/office/quality/missing.html",
    "/office/nothing/index.html",
    "/office/openapi.json",
    "/office/docs",
]


@pytest.fixture
def answers(warehouse: str, tmp_path: Path) -> Any:
    home = tmp_path / "home"
    for folder in ("data_docs", "dictionary"):
        (home / folder).mkdir(parents=True)
        (home / folder / "index.html").write_text(f"<p>{folder}</p>", encoding="utf-8")
    (home / "bulletins").mkdir()
    (home / "bulletins" / "惠州市-总览.html").write_text("<p>overview</p>", encoding="utf-8")
    (home / "bulletins" / "惠州市-2026-03.html").write_text("<p>month</p>", encoding="utf-8")
    (home / "bulletins" / "惠州市-2026-03.pdf").write_bytes(b"%PDF")
    (home / "runtime.env").write_text("SECRET=1\n", encoding="utf-8")
    with connect() as connection:
        connection.execute(
            "insert into ops.publication (business_date, state, closed_at, message)"
            " values ('2026-03-02', 'discarded', clock_timestamp(), '<b>质量门未通过</b>')"
        )
    return run_with_airflow(f"OTHERS = {OTHERS!r}\n{ASK}", tmp_path)


def test_the_pages_of_the_menu_want_a_login_and_answer(answers: Any) -> None:
    assert not answers["errors"] and not answers["early"], "no process imports our code for the plugin's sake"
    assert [view["name"].split(" ")[0] for view in answers["views"]] == [
        "发布与运行",
        "质量检查",
        "数据字典",
        "总览与通报",
    ]
    assert {answer["status"] for answer in answers["anonymous"].values()} == {401}
    assert {answer["status"] for who in ("forged", "stranger") for answer in answers[who].values()} == {403}
    refusal = answers["anonymous"]["/office/quality/index.html"]["text"]
    assert 'href="/api/v2/auth/login?next=/office/quality/index.html"' in refusal and "需要登录" in refusal
    assert "没有权限" in answers["stranger"]["/office/publications"]["text"]
    told = {path.removeprefix("/office/"): answer for path, answer in answers["reader"].items()}
    assert (
        "&lt;b&gt;质量门未通过" in told["publications"]["text"] and "已作废" in told["publications"]["text"]
    )
    assert told["quality/index.html"]["text"] == "<p>data_docs</p>"
    assert told["dictionary/index.html"]["text"] == "<p>dictionary</p>"
    listed = told["bulletins"]["text"]
    assert listed.index("惠州市-总览") < listed.index("惠州市-2026-03") and listed.count(">PDF<") == 1
    assert told["bulletins/惠州市-总览.html"]["text"] == "<p>overview</p>"
    assert all(
        "default-src 'self'" in told[page]["policy"] for page in ("publications", "quality/index.html")
    )


def test_nothing_else_of_the_machine_is_served(answers: Any) -> None:
    told = {path.removeprefix("/office/"): answer for path, answer in answers["reader"].items()}
    others = [told[path.removeprefix("/office/")] for path in OTHERS[1:]]
    assert {answer["status"] for answer in others} == {404}
    assert not any("SECRET" in answer["text"] for answer in others)
    assert "还没有检查结果" in told["quality/missing.html"]["text"]
