"""Superset's settings; what differs between machines comes from the environment (runtime/superset.py of the package)."""

import os
from pathlib import Path

from flask import has_request_context, jsonify, request
from jinja2 import ChoiceLoader, FileSystemLoader
from superset.config import THEME_DEFAULT
from superset.translations.utils import get_language_pack

from credit_warehouse.dashboards.people import derived, login_of, login_password
from credit_warehouse.dashboards.pinning import asked

_SECRET = os.environ["CREDIT_DASHBOARDS_SECRET"]

SECRET_KEY = derived(_SECRET, "session")
SQLALCHEMY_DATABASE_URI = os.environ["CREDIT_SUPERSET_DATABASE_URL"].replace(
    "postgresql://", "postgresql+psycopg2://", 1
)

APP_NAME = "公共信用信息数据仓库"
BABEL_DEFAULT_LOCALE = "zh"
LANGUAGES = {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "us", "name": "English"}}
D3_FORMAT = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["¥", ""]}

# Nothing is kept: after a publication or a rollback the next look reads what is published.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# Nor a page's filters: one that is loaded again would ask for the publication that was in force before.
FILTER_STATE_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# Every day of a plan of ten years can be chosen.
NATIVE_FILTER_DEFAULT_ROW_LIMIT = 5000

# Plain HTTP on this machine only; elsewhere a TLS proxy stands in front.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
ENABLE_PROXY_FIX = True
# The sign-in page needs the Chinese words before anybody has signed in; load.py gives the role nothing else.
AUTH_ROLE_PUBLIC = "Public"
# Superset's pages ask a telemetry server and map servers for pictures; ours ask this server only.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
LOG_LEVEL = "WARNING"
# A page is listed for its readers only, not for everybody who may read one of its datasets.
FEATURE_FLAGS = {
    "DASHBOARD_RBAC": True,
    # Paper shows what is below the window too, so every chart is drawn at once.
    "DASHBOARD_VIRTUALIZATION": False,
}
SQLLAB_TIMEOUT = 60
SUPERSET_WEBSERVER_TIMEOUT = 60

THEME_DEFAULT = {
    **THEME_DEFAULT,
    "token": {
        **THEME_DEFAULT["token"],
        "brandAppName": APP_NAME,
        "brandLogoAlt": APP_NAME,
        "fontFamily": "Inter, 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'Microsoft YaHei', 'PingFang SC', sans-serif",
    },
}
THEME_DARK = None


# Superset has no Chinese for these, or a wrong one.
_CHINESE = {
    "Sign in": "登录",
    "Enter your login and password below:": "请输入用户名和密码：",
    "Select schema": "选择模式",
}


def FLASK_APP_MUTATOR(app):
    """Our words in the head of every page: without them a phone lays pages out as wide as a desk. And our Chinese."""
    chinese = get_language_pack("zh")
    chinese["locale_data"]["superset"] |= {text: [words] for text, words in _CHINESE.items()}

    @app.before_request
    def language_pack():
        return jsonify(chinese) if request.path.endswith("/superset/language_pack/zh/") else None

    app.jinja_loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent / "templates"), app.jinja_loader])


def DB_CONNECTION_MUTATOR(url, params, username, security_manager, source):
    """Read as the login of the user's role, pinned to the publication and day that are asked for."""
    user = security_manager.find_user(username=username) if username else None
    role = next((role.name for role in (user.roles if user else [])), None)
    if role is None:
        raise PermissionError("没有可用的数据库账号：请让管理员为该用户设置角色")
    login = login_of(role)
    url = url.set(username=login, password=login_password(_SECRET, login))
    settings = asked(request.get_json(silent=True)) if has_request_context() else {}
    if settings:
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        params = {**params, "connect_args": {**params.get("connect_args", {}), "options": options}}
    return url, params
