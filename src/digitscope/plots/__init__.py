"""Every picture the package draws, as functions of numbers.

No result is computed here. Start with ``style``, what all figures share; ``results`` and ``feature_maps`` draw most of
what people see.
"""
