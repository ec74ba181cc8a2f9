"""The dashboards: as written in ``dashboards/``, as Superset takes them in, and who looks at them."""
