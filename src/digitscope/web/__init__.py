"""What opens in a browser: the report of a run and the page to draw digits in.

It trains and measures nothing. Start with ``report.build`` or with ``lens.bundle``.
"""
