"""Lines of writing made up for training the line reader: characters, hands, papers and cameras.

It is not real data, and nothing is measured on it but the choice of thresholds. Start with ``lines``.
"""
