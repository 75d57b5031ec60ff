"""The parts of network drawings show what they are given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import AxesImage

from digitscope.datasets.mnist import load_mnist
from digitscope.models.lens import look
from digitscope.models.model import load
from digitscope.plots.primitives import heatmaps, sheet, wrapped


def test_heatmaps_show_the_maps_themselves() -> None:
    lens = look(load("classic"), load_mnist()[1][0][18])
    maps = lens.layer("conv1").values.transpose(2, 0, 1)
    ax = sheet(8, 4)
    corners = heatmaps(ax, maps, 0.5, 0.25, 0.01, 8, (0.1, 0.2), np.full(32, maps.max()))
    shown = [image for image in ax.get_children() if isinstance(image, AxesImage)]
    assert len(shown) == 32
    for image, array, (left, top) in zip(shown, maps, corners, strict=True):
        np.testing.assert_allclose(image.get_array(), array / maps.max(), rtol=1e-6)
        assert image.get_extent() == pytest.approx([left, left + 0.26, top + 0.26, top])
    np.testing.assert_allclose(corners[9], [0.5 + 0.36, 0.25 + 0.46])


def test_lines_are_not_broken_at_signs() -> None:
    assert wrapped("a window of 3 × 3 weights", 14) == "a window of\n3\u00a0×\u00a03 weights"
