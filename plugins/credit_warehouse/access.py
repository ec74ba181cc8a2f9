"""The access log: who looked at which subject, record or mart, through which command."""

from __future__ import annotations

import getpass
from uuid import UUID

from credit_warehouse.database import connect
from credit_warehouse.readers import Role


def note(
    command: str,
    *,
    mart: str | None = None,
    subject: UUID | None = None,
    record: UUID | None = None,
    publication_id: int | None = None,
    role: Role | None = None,
) -> None:
    """Note a look in ``ops.access``, for good before anything is shown: a look that cannot be noted does not happen.

    The login is what the database knows of the session; the person is the user the command runs under.
    """
    with connect() as connection:
        connection.execute("set transaction read write")  # readers' sessions only read unless they say so
        connection.execute(
            "select ops.note_access(%s, %s, %s, %s, %s, %s, %s)",
            [getpass.getuser(), role, command, mart, subject, record, publication_id],
        )
