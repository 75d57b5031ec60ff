"""From a recipe and labelled images to a fitted Keras network.

It writes no run folder and draws nothing (``experiments`` and ``plots`` do). Start with ``recipes``, then ``fit``.
"""
