"""The page: draw a digit and follow it through every layer, as one HTML file or from a server.

The page computes everything itself; its scripts and styles lie in ``static/``. Start with ``bundle``.
"""
