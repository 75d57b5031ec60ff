"""Model files: load one, get its answers, look into every layer, measure it, export it.

It trains nothing and reads no pictures; a model takes 28x28 fields. Start with ``model``.
"""
