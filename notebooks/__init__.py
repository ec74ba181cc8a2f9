"""Notebooks as plain Python: cells begin with ``# %%``. ``python -m notebooks`` runs them and writes the .ipynb files."""
