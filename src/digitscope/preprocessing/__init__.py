"""From pixels to what a network sees: ink off its paper, one digit as a 28x28 field, a line as a 32 pixel high field.

It reads no files and recognises nothing. Start with ``ink``, then ``field`` for digits and ``line`` for lines.
"""
