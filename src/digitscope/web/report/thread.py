"""Facts for the one digit that runs through all chapters: what each of them says of it, beyond its own pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitscope.web.report.cells import CellFacts
from digitscope.web.report.network import Network
from digitscope.web.report.record import Record

ANSWERING = 0.5
"""A place answers a filter if it reaches this part of the map's largest number."""


@dataclass(frozen=True)
class ThreadFacts:
    """What happens to the digit on show.

    Attributes:
        row: of the brightest pixel below the window that chapter 8 works out.
        column: of that pixel.
        level: what it is in the file, 0..255.
        places: places of the first map that answer its filter.
        speaking: maps of the first convolution that are not 0 everywhere.
        before: the four numbers of the first pooled map that the pooling makes one of, the largest of that map among
            them.
        pooled: that one.
        active: units of the dense layer that are not 0.
        bias_slope: slope of the loss of this digit alone along the bias of its label: its share minus 1.
        weight_slope: the same along the weight of the largest vote, times what that unit says.
    """

    row: int
    column: int
    level: int
    places: int
    speaking: int
    before: tuple[float, ...]
    pooled: float
    active: int
    bias_slope: float
    weight_slope: float


def facts(record: Record, network: Network, inside: CellFacts) -> ThreadFacts:
    """The facts of the digit on show."""
    lens, cell = record.lens, inside.convolution
    window = record.image[cell.row : cell.row + network.kernel, cell.column : cell.column + network.kernel]
    down, right = (int(part) for part in np.unravel_index(int(window.argmax()), window.shape))
    first = lens.layer(network.first.name).values
    own = first[:, :, cell.filter]
    pooled = lens.layer(network.pool.name).values
    place = np.unravel_index(int(pooled.argmax()), pooled.shape)
    across, along, index = (int(part) for part in place)
    block = lens.layer(network.pooled.name).values[2 * across : 2 * across + 2, 2 * along : 2 * along + 2, index]
    missing = float(lens.probabilities[record.label]) - 1
    return ThreadFacts(
        row=cell.row + down,
        column=cell.column + right,
        level=int(window.max()),
        places=int((own > ANSWERING * own.max()).sum()) if own.max() > 0 else 0,
        speaking=int((first.max(axis=(0, 1)) > 0).sum()),
        before=tuple(float(value) for value in block.ravel()),
        pooled=float(pooled[place]),
        active=int((lens.layer(network.dense.name).values > 0).sum()),
        bias_slope=missing,
        weight_slope=missing * inside.dense.largest_vote.value,
    )
