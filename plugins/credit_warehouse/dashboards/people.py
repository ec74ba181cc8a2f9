"""Who looks at dashboards: users of Superset, their roles there, and the logins the database knows them by.

Superset imports this too, in an environment of its own: standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

ADMIN = "admin"


@dataclass(frozen=True)
class Person:
    """A user that is made with the dashboards; ``role`` is the role in Superset."""

    name: str
    role: str
    label: str
    reads_as: str
    """Role in the warehouse: leader, analyst or department."""
    department: str | None = None

    @property
    def login(self) -> str:
        """The login in the warehouse that Superset reads with for this role."""
        return login_of(self.role)


def people(departments: Iterable[tuple[str, str]]) -> list[Person]:
    """The administrator, a leader, an analyst and a user per department (code, name)."""
    return [
        # Who keeps Superset running has no more of the data than an analyst.
        Person(ADMIN, "Admin", "管理员", "analyst"),
        Person("leader", "Leader", "领导", "leader"),
        Person("analyst", "Analyst", "分析员", "analyst"),
        *(
            Person(code, department_role(code), name, "department", code)
            for code, name in sorted(departments)
        ),
    ]


def department_role(code: str) -> str:
    return f"Department {code}"


def login_of(role: str) -> str:
    return "superset_" + role.lower().removeprefix("department ")


def derived(secret: str, purpose: str) -> str:
    """A password or key made of the dashboards' one secret; another purpose gives another one."""
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


def login_password(secret: str, login: str) -> str:
    return derived(secret, f"login {login}")


def first_password(secret: str, user: str) -> str:
    """What a user signs in with until it is changed in Superset."""
    return derived(secret, f"user {user}")
