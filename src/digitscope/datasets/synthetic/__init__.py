"""Synthetic lines of writing for training the line reader: texts, writers, papers and cameras.

They are not real data; nothing but thresholds is measured on them. Start with ``lines``, change ``recipe``.
"""
