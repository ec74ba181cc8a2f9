"""Superset's metadata, roles, users and dashboards, in one process: importing Superset costs seconds each time.

``python load.py PLAN`` runs in Superset's environment. PLAN is a JSON file: ``people`` with name, role, label and first
password; ``reads`` with the datasets (uuid) of each role; ``opens`` with the roles of each dashboard (uuid); ``sql_lab``
with the roles that may write queries; ``files``, the bundle. What is no longer in the bundle is taken away.
"""

import json
import sys
from pathlib import Path
from typing import Any

WORDS = ("can_language_pack", "Superset")
VIEWER = {
    WORDS,
    ("can_csv", "Superset"),
    ("can_read", "Dataset"),
    ("can_log", "Superset"),
    ("can_recent_activity", "Log"),
    ("can_this_form_get", "ResetMyPasswordView"),
    ("can_this_form_post", "ResetMyPasswordView"),
    ("can_userinfo", "UserDBModelView"),
    ("resetmypassword", "UserDBModelView"),
    ("menu_access", "Dashboards"),
    ("menu_access", "Home"),
}
"""What everybody may, on top of what Superset lets the public do with a page it may see."""


def main(plan: dict[str, Any]) -> None:
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from flask_migrate import upgrade

        upgrade()
        from superset import appbuilder, security_manager

        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        _users(plan["people"])
        _import(plan["files"])
        _roles(plan["reads"], plan["sql_lab"])
        _readers(plan["opens"])


def _users(people: list[dict[str, str]]) -> None:
    from superset import security_manager

    for person in people:
        role = security_manager.add_role(person["role"])
        if security_manager.find_user(person["name"]) is None and not security_manager.add_user(
            person["name"], person["label"], "", f"{person['name']}@localhost", role, person["password"]
        ):
            raise RuntimeError(f"Superset did not accept the user {person['name']}")


def _import(files: dict[str, str]) -> None:
    from superset import db, security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice
    from superset.utils.core import override_user

    with override_user(security_manager.find_user("admin")):
        ImportAssetsCommand(files).run()
    for folder, kind in (("dashboards/", Dashboard), ("charts/", Slice), ("datasets/", SqlaTable)):
        kept = {_uuid(content) for name, content in files.items() if name.startswith(folder)}
        for found in db.session.query(kind).filter(kind.is_managed_externally):
            if str(found.uuid) not in kept:
                db.session.delete(found)
    db.session.commit()


def _uuid(content: str) -> str:
    import yaml

    return str(yaml.safe_load(content)["uuid"])


def _roles(reads: dict[str, list[str]], sql_lab: list[str]) -> None:
    from superset import db, security_manager
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database

    datasets = {str(found.uuid): found for found in db.session.query(SqlaTable)}
    for name, uuids in reads.items():
        wanted = security_manager.PUBLIC_ROLE_PERMISSIONS | VIEWER
        wanted = wanted | {("datasource_access", datasets[uuid].perm) for uuid in uuids}
        if name in sql_lab:
            lab = security_manager.find_role("sql_lab").permissions
            wanted = wanted | {(granted.permission.name, granted.view_menu.name) for granted in lab}
            wanted = wanted | {("database_access", found.perm) for found in db.session.query(Database)}
        role = security_manager.find_role(name)
        granted = (security_manager.find_permission_view_menu(*pair) for pair in sorted(wanted))
        role.permissions = [permission for permission in granted if permission is not None]
    security_manager.find_role("Public").permissions = [security_manager.find_permission_view_menu(*WORDS)]
    db.session.commit()


def _readers(opens: dict[str, list[str]]) -> None:
    from superset import db, security_manager
    from superset.models.dashboard import Dashboard

    for dashboard in db.session.query(Dashboard).filter(Dashboard.uuid.in_(opens)):
        dashboard.roles = [security_manager.find_role(role) for role in opens[str(dashboard.uuid)]]
    db.session.commit()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
