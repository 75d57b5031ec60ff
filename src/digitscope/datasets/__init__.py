"""Labelled images: MNIST, your own files, and how they are split into training and test images.

Nothing is trained or measured here. Start with ``load``.
"""
