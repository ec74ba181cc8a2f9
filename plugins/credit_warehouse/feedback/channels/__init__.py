"""How to hand a package over: one module per protocol, one function ``send`` each.

``send`` may be repeated: what the department has already is left as it is, and its receipt is asked for again.
"""

from credit_warehouse.feedback.channels.exchange import send as send_exchange
from credit_warehouse.feedback.channels.handover import FeedbackRefused, Handover
from credit_warehouse.feedback.channels.rest import send as send_rest
from credit_warehouse.feedback.channels.sftp import send as send_sftp

SEND = {"sftp": send_sftp, "rest": send_rest, "exchange": send_exchange}

__all__ = ["SEND", "FeedbackRefused", "Handover"]
