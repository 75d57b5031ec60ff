"""From a recipe and labelled images to a fitted Keras network.

Run folders are written in ``experiments``, and figures drawn in ``plots``. Start with ``recipes``, then ``fit``.
"""
