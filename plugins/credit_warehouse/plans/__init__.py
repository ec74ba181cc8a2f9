"""The cities' plans (DOMAIN.md §1): tasks, targets, the units that answer for them, and dated evidence of progress."""

from credit_warehouse.plans.loader import PlanError, load_plans
from credit_warehouse.plans.model import Plan, Plans, Target, Task, Unit

__all__ = ["Plan", "PlanError", "Plans", "Target", "Task", "Unit", "load_plans"]
