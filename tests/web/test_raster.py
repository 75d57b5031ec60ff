"""Strokes to the field: what must hold for any drawing, and real drawings read right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError
from digitscope.models.model import load
from stroke_models import blank, digits
from stroke_raster import FITTED, PAD, PEN, Stroke, raster

coordinates = st.floats(0, PAD, allow_nan=False).map(lambda value: round(value, 1))
strokes = st.builds(
    Stroke,
    points=st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6).map(lambda p: tuple(sum(p, ()))),
    width=st.floats(4, 40),
    erase=st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(strokes, min_size=1, max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_any_drawing_gives_a_field(drawn: list[Stroke], fit: bool, pen: bool, centre: bool):
    made = raster(drawn, fit, pen, centre)
    for step in (made.picture, made.fine, made.fitted, made.field):
        assert step is None or (step.dtype == np.float32 and step.min() >= 0 and step.max() <= 1)
    assert made.field.shape == (28, 28)
    assert (made.box is None) or made.field.sum() > 0
    assert made.box is not None or any(stroke.erase for stroke in drawn)
    if fit and centre and made.fitted is not None:
        assert made.field.sum(dtype=np.float64) == pytest.approx(made.fitted.sum(dtype=np.float64))


@pytest.mark.parametrize(
    "drawn",
    [
        [Stroke((140, 0, 140, 30), 20)],
        [Stroke((0, 0), 40), Stroke((45, 0), 4)],
        [Stroke((4, 280), 12), Stroke((30, 280, 31, 278), 6)],
        [Stroke((100, 100, 109, 100), 40), Stroke((100, 100, 109, 100), 37, erase=True)],
    ],
    ids=["line", "two dots", "dot and tick", "rim"],
)
def test_what_is_cut_off_by_the_edge_or_the_eraser_still_fills_the_frame(drawn: list[Stroke]):
    fine = raster(drawn).fine
    assert fine is not None
    sides = [np.ptp(np.flatnonzero(fine.max(axis=axis) >= 0.5)) + 1 for axis in (0, 1)]
    assert max(sides) >= 180


def test_a_line_is_drawn_to_the_exact_pixel():
    made = raster([Stroke((100, 50, 200, 50), 10)], fit=False)
    assert made.box == (95, 45, 205, 55)
    assert made.picture[44:57, 150].tolist() == [0, *[1] * 10, 0, 0]
    assert made.field.sum() == pytest.approx(made.picture.sum() / 100)
    off_grid = raster([Stroke((100, 50.25, 200, 50.25), 10)], fit=False).picture[44:57, 150]
    assert off_grid.tolist() == [0, 0.75, *[1] * 9, 0.25, 0]


@pytest.mark.parametrize(("scale", "dx", "dy"), [(0.3, 10, 200), (1.3, 0, 0), (0.3, 200, 10)])
def test_size_and_place_do_not_matter(scale: float, dx: float, dy: float):
    seven = (20.0, 30.0, 150.0, 30.0, 80.0, 190.0)
    moved = tuple(scale * value + (dy if i % 2 else dx) for i, value in enumerate(seven))
    here, there = raster([Stroke(seven, 16)]).field, raster([Stroke(moved, 16 * scale)]).field
    assert np.abs(here - there).mean() < 0.01  # boxes are whole pixels: less than a tenth of a pixel of the field


@pytest.mark.parametrize("width", [1, 4, 12, 24, 40, 60])
def test_the_pen_becomes_as_wide_as_mnists(width: float):
    made = raster([Stroke((140, 40, 140, 240), width)])
    across = float(made.field[14].sum())
    drawn = width * FITTED / (200 + width)
    assert across == pytest.approx(min(max(drawn, PEN[0]), PEN[1]), abs=0.02)
    assert float(raster([Stroke((140, 40, 140, 240), width)], pen=False).field[14].sum()) == pytest.approx(
        drawn, abs=0.15
    )


def test_the_eraser_takes_ink_away():
    line = Stroke((140, 40, 140, 240), 20)
    assert raster([line, Stroke((140, 30, 140, 250), 40, erase=True)]).field.max() == 0
    cut = raster([line, Stroke((120, 140, 160, 140), 30, erase=True)])
    assert (cut.picture[140] == 0).all() and cut.field.sum() < raster([line]).field.sum()
    assert np.array_equal(raster([Stroke((120, 140, 160, 140), 30, erase=True), line]).field, raster([line]).field)


def test_nothing_and_a_dot():
    rng = np.random.default_rng(0)
    for number in (0, 2, 3):
        made = raster(blank(number, rng))
        assert made.box is None and made.field.max() == 0
    dot = raster([Stroke((100, 100), 20)])
    assert dot.box == (90, 90, 110, 110) and dot.fitted is not None and dot.fitted[10, 10] == 1


@pytest.mark.parametrize(
    ("points", "width"),
    [((1.0,), 10), ((1.0, float("nan")), 10), ((1.0, float("inf")), 10), ((1.0, 2.0), 0), ((1.0, 2.0), -3)],
)
def test_garbage_is_refused(points: tuple[float, ...], width: float):
    with pytest.raises(ConfigError, match="expected pairs of finite numbers"):
        Stroke(points, width)


def test_centre_of_mass_is_where_mnist_has_it():
    images = load_mnist()[0][0][:3000].astype(np.float64)
    drawn = np.stack([raster(made).field for _, _, made in digits(1)])

    def middles(fields: np.ndarray) -> np.ndarray:
        total = fields.sum(axis=(1, 2))
        return np.stack([fields.sum(axis=1) @ np.arange(28) / total, fields.sum(axis=2) @ np.arange(28) / total])

    assert np.abs(middles(drawn).mean(axis=1) - middles(images).mean(axis=1)).max() < 0.15
    assert np.abs(middles(drawn) - 14).max() <= 1


def test_drawings_are_read_right():
    drawn = digits(10)
    assert len(drawn) >= 300
    fields = np.stack([raster(made).field for _, _, made in drawn])
    wanted = np.array([digit for digit, _, _ in drawn])
    assert (load("classic").predict(fields).argmax(axis=1) == wanted).mean() >= 0.97
