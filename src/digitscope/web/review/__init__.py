"""The page to answer on: the files that a browser loads to correct what a review queue holds.

It holds no number; ``service.review`` hands them out. Start with ``static/review.js``.
"""
