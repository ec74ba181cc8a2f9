"""The dbt project as the warehouse uses it: generating its staging layer and running it."""

from credit_warehouse.transform.run import BuildFailed, BuildResult, NodeResult, dbt_build

__all__ = ["BuildFailed", "BuildResult", "NodeResult", "dbt_build"]
