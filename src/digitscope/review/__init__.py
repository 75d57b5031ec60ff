"""The review queue: numbers that were refused or read unsurely, their crops, and what people say they are.

It reads no picture and trains nothing: ``reading`` fills it, ``service`` shows it, ``training`` learns from what it
exports. Start with ``store``, which holds it all in one file.
"""
