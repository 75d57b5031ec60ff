"""Files in, results out: any image or PDF as pages of pixels, and what was read as values, text and annotated pages.

It recognises nothing. Start with ``elements`` and ``page``, the results that reading returns; how files are opened is
in ``document``.
"""
