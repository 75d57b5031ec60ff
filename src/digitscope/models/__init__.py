"""Model files: load one, get its answers, look into every layer, measure it, export it to other formats.

No training, and no reading of pictures: a model takes fields of 28x28 pixels. Read ``model`` first.
"""
