"""The five department systems as real servers on loopback, with seeded synthetic data and an answer key.

Nothing here is real: see ``world`` for how identifiers are kept valid in form and impossible in fact.
"""
