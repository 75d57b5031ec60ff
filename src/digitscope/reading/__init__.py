"""Reading: a page or a single digit in, numbers with a calibrated confidence out, or a refusal.

It trains nothing and draws nothing. Start with ``reader``, the one class that everything else here works for.
"""
