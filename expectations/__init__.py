"""Great Expectations suites as code: ``intake`` (compiled from a feed's contract), ``publication`` (the candidate).

These modules import Great Expectations, which takes seconds: import them inside functions, never from a DAG file.
"""
