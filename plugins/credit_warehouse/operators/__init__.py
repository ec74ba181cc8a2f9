"""What the DAG files share: nights as partitions, the answers of the sources, retry rules."""
