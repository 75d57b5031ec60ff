"""Labelled images: MNIST, your own files, and how they are split into training and test images.

Nothing is trained or measured here; images stay as files hold them, 28x28 bytes. Start with ``load``.
"""
