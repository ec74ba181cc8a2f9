# The images of docker-compose.yml's services: `app`, and `dashboards`, which has Superset beside it.
# Superset needs older libraries than the warehouse, so it has an environment of its own.
FROM python:3.11.14-slim-bookworm AS superset
COPY requirements/dashboards.txt /tmp/dashboards.txt
RUN python -m venv /srv/credit/superset \
    && /srv/credit/superset/bin/pip install --no-cache-dir --requirement /tmp/dashboards.txt

FROM python:3.11.14-slim-bookworm AS app

ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/srv/credit/app \
    CREDIT_HOME=/srv/credit/var \
    AIRFLOW_HOME=/srv/credit/airflow \
    DO_NOT_TRACK=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=False \
    GX_ANALYTICS_ENABLED=False

# Prints the leaders' page and the bulletins as PDF.
RUN apt-get update && apt-get install --yes --no-install-recommends chromium fonts-noto-cjk && rm -rf /var/lib/apt/lists/*

RUN useradd --system --uid 10001 --home-dir /srv/credit --shell /usr/sbin/nologin credit \
    && install -d -o credit /srv/credit/var /srv/credit/airflow /srv/credit/logs /srv/credit/simulator

WORKDIR /srv/credit/app
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir --requirement requirements/runtime.txt
COPY . .
# Editable: contracts, DAGs and the dbt project are read from this folder, not from site-packages.
RUN pip install --no-cache-dir --no-deps --editable .

USER credit
CMD ["credit-warehouse", "--help"]

FROM app AS dashboards
# At the same path: an environment cannot be moved.
COPY --from=superset /srv/credit/superset /srv/credit/superset
ENV CREDIT_DASHBOARDS_PYTHON=/srv/credit/superset/bin/python
