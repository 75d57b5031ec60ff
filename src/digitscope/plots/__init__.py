"""Every figure the package draws, as functions of numbers that are computed elsewhere.

Start with ``style``, which all figures share. ``data`` and ``results`` draw charts, ``feature_maps`` and its
neighbours the inside of a network, ``write`` whole folders of figures.
"""
