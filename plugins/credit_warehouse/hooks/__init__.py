"""Airflow's side of the connections to department systems."""
