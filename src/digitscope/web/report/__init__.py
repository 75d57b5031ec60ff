"""``report.html``: the story of a run, with its own numbers and pictures, in one file.

The text stands in ``chapters/``, one file a chapter. Start with ``build``.
"""
