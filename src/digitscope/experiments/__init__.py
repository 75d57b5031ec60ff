"""Run folders: train one network or a grid of them, list them, compare two.

How a network is fitted is ``training``'s business. Start with ``run``.
"""
