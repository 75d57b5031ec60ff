"""Run folders: train one network or a grid of settings, list the runs, compare two models.

It fits nothing itself; that is in ``training``. Start with ``run``.
"""
