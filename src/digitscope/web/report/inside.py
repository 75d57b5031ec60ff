"""What the story says about what happens inside the network: activations, and the arithmetic of single cells.

How the network is built is told by ``web.report.shape``.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens, Terms, unflatten
from digitscope.models.model import network_input
from digitscope.plots.primitives import SIGNED
from digitscope.web.report.html import Html, bright, count, join, number, percent, picture, share, table, tiny
from digitscope.web.report.record import Record
from digitscope.web.report.shape import by, parts

DEAD_TEST = 500
"""Test images on which a filter must stay silent to be called dead here."""

CHOICES = 6
"""Filters to choose from in the animation."""


def facts(record: Record) -> dict[str, Any]:
    """Everything that the chapters from the network at a glance to softmax say."""
    lens = record.lens
    return (
        _convolution(lens)
        | _relu(record)
        | _halfway(lens)
        | _second(lens)
        | _flatten(lens)
        | _dense(lens)
        | _softmax(lens)
    )


def window_data(lens: Lens) -> Html:
    """What the animations need, as JSON: pixels, some filters and maps as stored, colours of signed numbers."""
    found = parts(lens)
    conv, pool = found.first, found.pool
    kernel, bias, sums = _kernel(conv), _bias(conv), _sums(conv)
    filters = [
        {
            "number": index,
            "kernel": _exact(kernel[:, :, 0, index]),
            "bias": _exact(bias[[index]])[0],
            "sums": _exact(sums[:, :, index]),
        }
        for index in choice_of_filters(lens)
    ]
    maps = [
        {
            "number": index,
            "values": _exact(found.pooled.values[:, :, index]),
            "pooled": _exact(pool.values[:, :, index]),
        }
        for index in choice_of_maps(lens)
    ]
    colours = SIGNED(np.linspace(0, 1, 21))[:, :3]
    data = {
        "side": len(lens.image),
        "pixels": [int(value) for value in lens.pixels.ravel()],
        "kernel": kernel.shape[0],
        "mapSide": conv.shape[0],
        "filters": filters,
        "pool": {
            "of": "" if found.pooled is conv else found.pooled.name,
            "side": found.pooled.shape[0],
            "pooledSide": pool.shape[0],
            "mode": "max" if pool.kind == "max_pooling2d" else "average",
            "maps": maps,
        },
        "colours": np.round(255 * colours).astype(int).tolist(),
    }
    return Html(json.dumps(data, separators=(",", ":")))


def choice_of_filters(lens: Lens) -> list[int]:
    """A few filters that answer to the digit and differ from one another; the first answers strongly to edges.

    An edge detector's weights nearly cancel out, so that it is silent where all is ink or all is paper.
    """
    conv = parts(lens).first
    kernels = _kernel(conv).reshape(-1, conv.shape[2]).T.astype(np.float64)
    contrast = 1 - np.abs(kernels.sum(axis=1)) / np.maximum(np.abs(kernels).sum(axis=1), 1e-12)
    return _unlike(kernels, conv.values.max(axis=(0, 1)) * contrast)


def choice_of_maps(lens: Lens) -> list[int]:
    """A few of the maps that are pooled first: those of ``choice_of_filters``, if the first convolution made them.

    Otherwise maps that show much and differ from one another.
    """
    found = parts(lens)
    if found.pooled is found.first:
        return choice_of_filters(lens)
    maps = found.pooled.values.reshape(-1, found.pooled.shape[2]).T.astype(np.float64)
    return _unlike(maps, maps.max(axis=1))


def _unlike(patterns: npt.NDArray[np.float64], score: npt.NDArray[Any]) -> list[int]:
    """The pattern (n, size) with the highest score, and others of the better half that look least like those chosen."""
    patterns = patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-12)
    candidates = [int(i) for i in np.argsort(-score, kind="stable") if score[i] >= np.median(score)]
    chosen = candidates[:1]
    while len(chosen) < min(CHOICES, len(candidates)):
        rest = [i for i in candidates if i not in chosen]
        chosen.append(min(rest, key=lambda i: float((patterns[chosen] @ patterns[i]).max())))
    return chosen


def signed(values: npt.ArrayLike, limit: float) -> npt.NDArray[np.uint8]:
    """Values from -limit to limit in colours uint8 (h, w, 3): blue negative, orange positive."""
    colours = SIGNED(0.5 + 0.5 * np.clip(np.asarray(values) / (limit or 1.0), -1, 1))
    return np.asarray(np.round(255 * colours[..., :3]), np.uint8)


def _convolution(lens: Lens) -> dict[str, Any]:
    """The strongest cell of the first map of the animation, written out."""
    index = choice_of_filters(lens)[0]
    sums = _sums(lens.layer("conv1"))[:, :, index]
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    terms = lens.terms("conv1", (int(row), int(column), index))
    products = [f"{value:.4f}·{_bracketed(weight)}" for _, value, weight, _ in terms]
    written = " + ".join(products) + f" + {_bracketed(terms.bias)} (bias) = <strong>{number(terms.sum)}</strong>"
    return {
        "filter_number": index,
        "cell_row": row,
        "cell_column": column,
        "cell_sum": Html(written),
        "cell_stored": number(terms.stored),
        "cell_difference": tiny(terms.difference),
    }


def _relu(record: Record) -> dict[str, Any]:
    lens = record.lens
    conv, index = lens.layer("conv1"), choice_of_filters(lens)[0]
    sums, values = _sums(conv)[:, :, index], conv.values[:, :, index]
    zeros = int((conv.values == 0).sum())
    name = f"Map of filter {index}"
    return {
        "map_before": picture(signed(sums, float(np.abs(sums).max())), f"{name} before ReLU, with negative sums"),
        "map_after": picture(
            signed(values, float(np.abs(sums).max())), f"{name} after ReLU, the negative sums are gone"
        ),
        "relu_zeros": count(zeros),
        "relu_zero_share": percent(zeros / conv.values.size, 0),
        "dead_words": _dead_words(record, conv),
    }


def _dead_words(record: Record, conv: LayerView) -> str:
    output = next(layer["output"] for layer in record.model.session.layers if layer["name"] == conv.name)
    images = network_input(record.data.x_test[:DEAD_TEST])
    values = record.model.session.tensors(images, [output["tensor"]])[output["tensor"]]
    silent = int((values.max(axis=(0, 2, 3) if output["layout"] == "nchw" else (0, 1, 2)) == 0).sum())
    tested = f"of the {conv.shape[2]} filters of the first layer"
    if silent == 0:
        return f"Here none {tested} is dead: on the first {len(images)} test digits each of them answers somewhere."
    return f"Here {silent} {tested} stayed silent on all of the first {len(images)} test digits."


def _halfway(lens: Lens) -> dict[str, Any]:
    """The picture and a few maps: of the first convolution, of what is pooled where that is another, and pooled."""
    found, chosen = parts(lens), choice_of_maps(lens)[:4]
    entries = [f'<li><div class="stack one">{picture(bright(lens.image, 1), "The digit")}</div>'
               f"<strong>input</strong>{by(lens.layers[0])}</li>"]  # fmt: skip
    steps = [(found.pooled, found.pooled, chosen), (found.pool, found.pooled, chosen)]
    if found.pooled is not found.first:
        steps.insert(0, (found.first, found.first, choice_of_filters(lens)[:4]))
    for layer, coloured_as, indices in steps:
        maps = join(
            picture(
                signed(layer.values[:, :, index], float(coloured_as.values[:, :, index].max())),
                f"{layer.name}, map {index}",
            )
            for index in indices
        )
        entries.append(f'<li><div class="stack">{maps}</div><strong>{layer.name}</strong>{by(layer)}</li>')
    return {"way_first_half": Html("\n".join(entries)), "way_maps": len(steps[0][2])}


def _second(lens: Lens) -> dict[str, Any]:
    """The strongest cell of the first convolution after pooling, its products added up for each map they come from."""
    found = parts(lens)
    layer = found.second
    row, column, index = (int(part) for part in np.unravel_index(int(layer.values.argmax()), layer.shape))
    terms = lens.terms(layer.name, (row, column, index))
    subtotals = np.bincount(terms.sources[:, 2], weights=terms.products, minlength=found.pool.shape[2])
    order = np.argsort(-np.abs(subtotals), kind="stable")[:5]
    rest = float(subtotals.sum() - subtotals[order].sum())
    rows = [[f"map {i}", number(float(subtotals[i]))] for i in order]
    if len(subtotals) > len(order):
        rows.append([f"the other {len(subtotals) - len(order)} maps", number(rest)])
    positive = "sum, and as it is positive also after ReLU"
    rows += [["bias", number(terms.bias)], [positive if terms.sum > 0 else "sum before ReLU", number(terms.sum)]]
    last = len(rows) - 1
    which = layer.name if len(found.between) > 1 else "the second convolution"
    caption = f"Filter {index} of {which} at row {row}, column {column} (numbers rounded for print)."
    return {
        "cell2_filter": index, "cell2_row": row, "cell2_column": column,
        "cell2_table": table(caption, ["from", "adds"], rows, mine=last),
        "empty_maps": int((layer.values.max(axis=(0, 1)) < 0.1 * layer.values.max()).sum()) > 1,
        **_checked("cell2", terms),
    }  # fmt: skip


def _flatten(lens: Lens) -> dict[str, Any]:
    flat, shape = lens.layer("flatten").values, lens.before("flatten").shape
    example = int(flat.argmax())
    row, column, channel = unflatten(shape, example)
    return {
        "flat_example": example, "flat_row": row, "flat_column": column, "flat_channel": channel,
        "flat_zeros": count(int((flat == 0).sum())),
    }  # fmt: skip


def _dense(lens: Lens) -> dict[str, Any]:
    unit = int(lens.layer("dense").values.argmax())
    terms = lens.terms("dense", unit)
    shape, order = lens.before("flatten").shape, terms.ranking[:6]
    rows = []
    for index in order:
        row, column, channel = unflatten(shape, int(index))
        term = terms[int(index)]
        place = f"number {index}: map {channel}, row {row}, column {column}"
        rows.append([place, number(term.value, 4), number(term.weight, 4), number(term.product)])
    rest = float(terms.products.sum() - terms.products[order].sum())
    rows += [
        [f"the other {count(len(terms) - len(order))}", "", "", number(rest)],
        ["bias", "", "", number(terms.bias)],
        ["sum", "", "", number(terms.sum)],
    ]
    caption = f"Unit {unit} of the dense layer (numbers rounded for print)."
    head = ["from", "value x", "weight w", "w · x"]
    answer = lens.terms("softmax", lens.answer)
    best = answer[int(answer.ranking[0])]
    return {
        "unit_number": unit,
        "unit_table": table(caption, head, rows, mine=len(rows) - 1),
        **_checked("unit", terms),
        "answer_logit": number(answer.sum),
        "answer_terms": f"{len(answer)} products and a bias. The largest comes from unit {best.source[0]}: "
        f"{number(best.value, 4)} · {_bracketed(best.weight)} = {number(best.product)} (rounded for print).",
    }  # fmt: skip


def _softmax(lens: Lens) -> dict[str, Any]:
    logits, exponentials, total, probabilities = lens.softmax()
    rows = [
        [
            str(digit),
            number(float(logits[digit]), 4),
            _size(float(exponentials[digit])),
            share(float(probabilities[digit])),
        ]
        for digit in range(10)
    ]
    rows.append(["together", "", _size(total), "100\N{NO-BREAK SPACE}%"])
    gap = float(logits[lens.answer] - logits[lens.runner_up])
    caption = (
        f"Softmax by numbers. From every sum the largest, {number(float(logits.max()), 4)}, is subtracted first: that "
        "changes no share and keeps the exponentials from growing too large for the computer."
    )
    head = ["digit", "sum z", "exp(z − largest)", "share"]
    return {
        "softmax_table": table(caption, head, rows, mine=lens.answer),
        "runner_up": lens.runner_up,
        "logit_gap": number(gap, 4),
        "odds": count(math.exp(gap)) if gap < 14 else tiny(math.exp(gap)),
    }


def _checked(name: str, terms: Terms) -> dict[str, str]:
    return {
        f"{name}_result": number(terms.result, 4),
        f"{name}_stored": number(terms.stored, 4),
        f"{name}_difference": tiny(terms.difference),
    }


def _bracketed(value: float) -> str:
    text = number(value, 4)
    return f"({text})" if text.startswith("\N{MINUS SIGN}") else text


def _size(value: float) -> str:
    return number(value) if value >= 0.001 else tiny(value)


def _exact(values: Floats) -> list[float]:
    """Float32 values as the shortest decimals that give back the same float32."""
    return [float(str(value)) for value in np.asarray(values, np.float32).ravel()]


def _kernel(layer: LayerView) -> Floats:
    return layer.kernel if layer.kernel is not None else np.zeros(0, np.float32)


def _bias(layer: LayerView) -> Floats:
    return layer.bias if layer.bias is not None else np.zeros(layer.shape[-1], np.float32)


def _sums(layer: LayerView) -> Floats:
    return layer.sums if layer.sums is not None else layer.values
