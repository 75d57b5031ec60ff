"""A network as a C header: its weights, and the loops that compute it, in C99 with nothing but the standard library.

The weights are constants, so a microcontroller keeps them in flash; the values of the layers take two static buffers.
``header_record`` reads the numbers back out of a header for ``models.weights_json`` to compute with, which shows that
they are all there; that the C computes the same is shown by tests, which compile it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitscope.arraytypes import Floats
from digitscope.models.layers import LayerView
from digitscope.models.weights_json import config_of, learned_arrays

WINDOWED = """
/* What a window finds is multiplied by the kernel and added up; a dense layer is one window over everything. */
static void @_sums(const float *in, int rows, int columns, int channels, const float *kernel, const float *bias,
        int height, int width, int down, int right, int above, int before,
        float *out, int out_rows, int out_columns, int filters)
{
    for (int r = 0; r < out_rows; r++)
        for (int c = 0; c < out_columns; c++) {
            float *sums = out + (r * out_columns + c) * filters;
            for (int f = 0; f < filters; f++) sums[f] = bias ? bias[f] : 0;
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) {
                    const int row = r * down - above + y, column = c * right - before + x;
                    if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
                    for (int i = 0; i < channels; i++) {
                        const float value = in[(row * columns + column) * channels + i];
                        const float *weights = kernel + ((y * width + x) * channels + i) * filters;
                        for (int f = 0; f < filters; f++) sums[f] += value * weights[f];
                    }
                }
        }
}
"""

POOLED = """
/* The @WHAT@ of what a window finds, in every channel by itself. */
static void @_@KIND@(const float *in, int rows, int columns, int channels,
        int height, int width, int down, int right, int above, int before,
        float *out, int out_rows, int out_columns)
{
    for (int r = 0; r < out_rows; r++)
        for (int c = 0; c < out_columns; c++)
            for (int i = 0; i < channels; i++) {
                float found = @START@;
                int cells = 0;
                for (int y = 0; y < height; y++)
                    for (int x = 0; x < width; x++) {
                        const int row = r * down - above + y, column = c * right - before + x;
                        if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
                        const float value = in[(row * columns + column) * channels + i];
                        @ADD@
                        cells++;
                    }
                out[(r * out_columns + c) * channels + i] = @END@;
            }
}
"""

POOLINGS = {
    "max_pooling2d": {"WHAT": "largest", "KIND": "largest", "START": "0", "END": "found",
                      "ADD": "if (cells == 0 || value > found) found = value;"},
    "average_pooling2d": {"WHAT": "mean", "KIND": "mean", "START": "0", "END": "found / cells",
                          "ADD": "found += value;"},
}  # fmt: skip

ACTIVATIONS = {
    "relu": """
static void @_relu(float *values, int n)
{
    for (int i = 0; i < n; i++)
        if (values[i] < 0) values[i] = 0;
}
""",
    "softmax": """
static void @_softmax(float *values, int n)
{
    float largest = values[0], sum = 0;
    for (int i = 1; i < n; i++)
        if (values[i] > largest) largest = values[i];
    for (int i = 0; i < n; i++) sum += values[i] = expf(values[i] - largest);
    for (int i = 0; i < n; i++) values[i] /= sum;
}
""",
}

READ = """
/* image: 28 rows of 28 pixels, 0 = paper to 1 = pen, the digit as MNIST has it: 20 pixels high or wide, its centre of
   mass in the middle. probabilities: of the digits 0 to 9. Returns the most probable digit. */
static int @_read(const float image[784], float probabilities[10])
{
    static float a[@A@], b[@B@];  /* the values of every other layer: not for two threads at once */
@STEPS@
    int digit = 0;
    for (int i = 0; i < 10; i++) {
        probabilities[i] = @LAST@[i];
        if (probabilities[i] > probabilities[digit]) digit = i;
    }
    return digit;
}
"""

NUMBERS = re.compile(r"static const float \w+_(\d+)_(kernel|bias)\[\d+\] = \{([^}]*)\};")
ARCHITECTURE = re.compile(r"^   layers: (\[.*\])$", re.MULTILINE)


def header_text(layers: Sequence[LayerView], name: str, about: str) -> str:
    """A network as the text of a C header.

    Args:
        layers: all layers of the network, the input first.
        name: of the model; what it offers is called after it.
        about: a line about the model, for the comment at the top.
    """
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    word = word if word[:1].isalpha() else f"digits_{word}"
    others = layers[1:]
    described = [
        {"type": layer.kind, "config": config_of(layer),
         "weights": [{"name": key, "shape": list(array.shape)} for key, array in learned_arrays(layer).items()]}
        for layer in others
    ]  # fmt: skip
    top = (
        f"/* {_plain(about)}\n\n"
        f"   float probabilities[10];\n   int digit = {word}_read(image, probabilities);\n\n"
        "   Values are [row, column, channel], kernels [row, column, channel before, filter].\n"
        f"   layers: {_plain(json.dumps(described))}\n*/\n"
    )
    guard = f"{word.upper()}_H"
    parts = [top, f"#ifndef {guard}\n#define {guard}\n\n#include <math.h>\n#include <stddef.h>\n"]
    parts += [
        f"static const float {word}_{number}_{key}[{array.size}] = {{{_numbers(array)}}};\n"
        for number, layer in enumerate(others, start=1)
        for key, array in learned_arrays(layer).items()
    ]
    parts += _functions(others)
    parts.append(_read(layers, word))
    parts.append(f"#endif  /* {guard} */")
    return "\n".join(f"{part.strip()}\n" for part in parts).replace("@_", f"{word}_")


def header_record(text: str) -> dict[str, Any]:
    """What ``weights_json.answers`` needs of a network, read back out of the text of a header."""
    found = ARCHITECTURE.search(text)
    layers = json.loads(found[1]) if found else []
    for number, key, digits in NUMBERS.findall(text):
        (entry,) = (weight for weight in layers[int(number) - 1]["weights"] if weight["name"] == key)
        entry["data"] = [float(digit.strip().removesuffix("f")) for digit in digits.split(",")]
    return {"layers": layers}


def _plain(text: str) -> str:
    """Text that ends no comment."""
    return text.replace("*/", "* /").replace("\n", " ")


def _numbers(array: Floats) -> str:
    """Numbers in C, each with the fewest digits that give the same float again, some on a line."""
    texts = [f"{text}f" for text in array.ravel().astype(str)]
    lines = [", ".join(texts[start : start + 10]) for start in range(0, len(texts), 10)]
    return "\n    " + ",\n    ".join(lines) + "\n"


def _functions(layers: Sequence[LayerView]) -> list[str]:
    """What these layers need, and no more, or a compiler would warn of what is never called."""
    kinds, activations = {layer.kind for layer in layers}, {layer.activation for layer in layers}
    parts = [WINDOWED] if kinds & {"conv2d", "dense"} else []
    for kind, words in POOLINGS.items():
        if kind in kinds:
            pooled = POOLED
            for key, value in words.items():
                pooled = pooled.replace(f"@{key}@", value)
            parts.append(pooled)
    return parts + [code for activation, code in ACTIVATIONS.items() if activation in activations]


def _read(layers: Sequence[LayerView], word: str) -> str:
    """The function that goes through the layers, from buffer to buffer."""
    steps, sizes, at = [], {"a": 1, "b": 1}, "image"
    for number, (before, layer) in enumerate(itertools.pairwise(layers), start=1):
        if layer.kind == "flatten":
            continue  # rows, then columns, then channels: as they lie
        to = "b" if at == "a" else "a"
        size = int(np.prod(layer.shape))
        sizes[to] = max(sizes[to], size)
        steps.append(f"{_call(before, layer, f'{word}_{number}', at, to)}  /* {_plain(layer.name)} */")
        if layer.activation in ACTIVATIONS:
            steps.append(f"@_{layer.activation}({to}, {size});")
        at = to
    filled = READ.replace("@A@", str(sizes["a"])).replace("@B@", str(sizes["b"])).replace("@LAST@", at)
    return filled.replace("@STEPS@", "\n".join(f"    {step}" for step in steps))


def _call(before: LayerView, layer: LayerView, numbers: str, at: str, to: str) -> str:
    """The call that computes one layer from the values before it."""
    dense = layer.kind == "dense"
    rows, columns, channels = (1, 1, int(np.prod(before.shape))) if dense else before.shape
    out_rows, out_columns, filters = (1, 1, *layer.shape) if dense else layer.shape
    window, strides = layer.window or (1, 1), layer.strides or (1, 1)
    moved = ", ".join(map(str, (*window, *strides, *layer.overhang(before.shape))))
    taken = f"{at}, {rows}, {columns}, {channels}"
    if layer.kind in POOLINGS:
        return f"@_{POOLINGS[layer.kind]['KIND']}({taken}, {moved}, {to}, {out_rows}, {out_columns});"
    bias = f"{numbers}_bias" if "bias" in learned_arrays(layer) else "NULL"
    return f"@_sums({taken}, {numbers}_kernel, {bias}, {moved}, {to}, {out_rows}, {out_columns}, {filters});"
