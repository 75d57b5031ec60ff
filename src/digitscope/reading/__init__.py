"""Reading: a page or a single digit in; numbers with a calibrated confidence, or a reason for refusing them, out.

It trains nothing and draws nothing. Start with ``reader``, the one class that all the rest serves.
"""
