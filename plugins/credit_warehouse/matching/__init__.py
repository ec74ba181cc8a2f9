"""Who a record without a usable identifier may be about: proposed with an explained score, decided by a person.

Nothing here links a record. ``propose`` fills the list of candidates, ``review`` writes down what a person decided.
"""
