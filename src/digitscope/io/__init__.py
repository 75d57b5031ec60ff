"""Files in, results out: any image or PDF as pages of pixels, and what was read as records, text and drawn pages.

It recognises nothing: it opens what people hand in and writes down what they get back. Start with ``elements``, the
results that reading returns.
"""
