"""Airflow's metadata database and its first user, in one process: importing Airflow costs seconds each time.

Run as `python -m credit_warehouse.runtime.airflow_metadata` with Airflow's environment set.
"""

import os


def migrate() -> None:
    """Create the metadata tables or bring them to the installed version."""
    from airflow.utils import db

    db.upgradedb()


def ensure_admin(username: str, password: str) -> None:
    """Make `username` an administrator with this password, or give the existing one this password."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        user = security.find_user(username)
        if user is not None:
            security.reset_password(user.id, password)
            return
        role = security.find_role("Admin")
        if not security.add_user(username, "Credit", "Office", f"{username}@localhost", role, password):
            raise RuntimeError(f"Airflow did not accept the user {username}")


def main() -> None:
    migrate()
    ensure_admin(os.environ["CREDIT_AIRFLOW_USER"], os.environ["CREDIT_AIRFLOW_PASSWORD"])


if __name__ == "__main__":
    main()
