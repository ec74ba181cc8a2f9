"""The routes. None answers without a login of Airflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException as NotServed

from credit_warehouse.office import PREFIX
from credit_warehouse.pages import history
from credit_warehouse.settings import get_settings

POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:; frame-ancestors 'self'"
"""Nothing leaves the machine. Evaluation is what the dictionary's framework needs."""

MISSING = {
    "quality": "还没有检查结果：第一个夜间批次之后才有。",
    "dictionary": "数据字典尚未生成：请在服务器上运行 make docs。",
    "bulletins": "还没有总览或通报：第一次发布之后才有。",
}

app = FastAPI(
    title="信用数据",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)
_templates = Environment(
    loader=PackageLoader("credit_warehouse.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


@app.middleware("http")
async def keep_to_ourselves(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """What a page may load, and that nobody on the way keeps it."""
    response = await answer(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@app.exception_handler(401)
@app.exception_handler(403)
async def refuse(request: Request, refusal: HTTPException) -> Response:
    """To who is not logged in: where to, instead of a line of JSON."""
    airflow = request.scope.get("root_path", "").removesuffix(PREFIX)
    page = _page("refused.html.j2", known=refusal.status_code == 403, airflow=airflow, asked=request.url.path)
    page.status_code = refusal.status_code
    return page


@app.get("/publications")
def publications() -> HTMLResponse:
    """Publications, moves of the pointer and the steps of the last nights."""
    return _page("history.html.j2", names=history.STEPS, **history.read()._asdict())


@app.get("/bulletins")
def bulletins() -> HTMLResponse:
    """The leaders' page and the monthly bulletins there are."""
    folder = get_settings().bulletins_dir
    names = sorted((file.name for file in folder.glob("*.html")), key=lambda name: ("总览" not in name, name))
    first, later = names[:1], sorted(names[1:], reverse=True)
    printed = {file.stem for file in folder.glob("*.pdf")}
    return _page("bulletins.html.j2", names=first + later, printed=printed, missing=MISSING["bulletins"])


@app.get("/{site}/{path:path}")
async def file(site: str, path: str, request: Request) -> Response:
    """A file of one of the sites."""
    folder = _folder(site)
    try:
        return await StaticFiles(directory=folder, html=True, check_dir=False).get_response(
            path, request.scope
        )
    except NotServed as error:
        if error.status_code != 404:
            raise
        raise HTTPException(404, MISSING[site]) from None


def _folder(site: str) -> Path:
    settings = get_settings()
    folders = {
        "quality": settings.data_docs_dir,
        "dictionary": settings.dictionary_dir,
        "bulletins": settings.bulletins_dir,
    }
    if site not in folders:
        raise HTTPException(404)
    return folders[site]


def _page(template: str, **values: object) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(**values))
