"""From a department's system to accepted and quarantined rows. A file that lands is immutable; a row goes to ``raw``
or to ``quarantine``, never nowhere."""
