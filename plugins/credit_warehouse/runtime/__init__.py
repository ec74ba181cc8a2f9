"""Starts and stops what the warehouse consists of: Postgres, the simulator, Airflow's processes."""
