"""From an Airflow connection to the :class:`~credit_warehouse.connections.Endpoint` the pipeline takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credit_warehouse.connections import Endpoint

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_PORTS = {"sftp": 22, "http": 80, "https": 443, "postgres": 5432}


def source_endpoint(connection_id: str) -> Endpoint:
    """Address and secret of a department's system, as kept by Airflow.

    Raises:
        AirflowFailException: the connection is missing or has no host; retrying cannot help.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        raise AirflowFailException(
            f"Airflow 里没有连接“{connection_id}”：请在 Admin → Connections 新建，或设置环境变量 "
            f"AIRFLOW_CONN_{connection_id.upper()}，再重跑本任务。"
        ) from None
    if not connection.host:
        raise AirflowFailException(
            f"Airflow 连接“{connection_id}”没有填主机地址（Host）：请补上后重跑本任务。"
        )
    return endpoint_of(connection)


def endpoint_of(connection: Connection) -> Endpoint:
    """Map Airflow's field names to ours: what Airflow calls *schema* is a protocol over HTTP and a database elsewhere."""
    scheme = connection.conn_type or ""
    extra = {key: str(value) for key, value in connection.extra_dejson.items()}
    if connection.schema and scheme == "http":
        scheme = connection.schema
    elif connection.schema:
        extra.setdefault("database", connection.schema)
    return Endpoint(
        scheme=scheme,
        host=connection.host or "",
        port=connection.port or DEFAULT_PORTS[scheme],
        user=connection.login or "",
        password=connection.password or "",
        extra=extra,
    )
