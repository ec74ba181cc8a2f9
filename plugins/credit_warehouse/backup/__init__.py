"""Backups of everything that cannot be made again, and the way back (docs/operations.md)."""
