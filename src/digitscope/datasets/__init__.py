"""Images with labels: MNIST, your own files, and the one rule that splits them.

No network is trained or measured here; images reach it as files hold them, 28x28 bytes. Start with ``load``.
"""
