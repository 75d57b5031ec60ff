from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from digitscope.models.typed_json import typed


@dataclass(frozen=True)
class Point:
    x: float
    name: str | None


@dataclass(frozen=True)
class Line(Point):
    points: tuple[Point, ...]


def test_json_becomes_what_the_annotations_name() -> None:
    record = {"x": 1, "name": None, "points": [{"x": 2.5, "name": "a"}, {"x": 3, "name": "b"}]}
    assert typed(record, Line) == Line(1.0, None, (Point(2.5, "a"), Point(3.0, "b")))
    assert type(typed(1, float)) is float
    assert typed([], tuple[int, ...]) == ()


@pytest.mark.parametrize(
    ("value", "kind", "error"),
    [
        (True, int, TypeError),
        (True, float, TypeError),
        (1.0, int, TypeError),
        ("1", float, TypeError),
        (float("nan"), float, TypeError),
        (float("inf"), float, TypeError),
        (10**400, float, OverflowError),
        (None, int, TypeError),
        (5, tuple[int, ...], TypeError),
        ([1], tuple[float, float], ValueError),
        ([1, 2, 3], tuple[float, float], ValueError),
        ([1, "2"], tuple[int, ...], TypeError),
        ([], Point, TypeError),
        ({"x": 1}, Point, ValueError),
        ({"x": 1, "name": "a", "more": 2}, Point, ValueError),
        ({"x": 1, "name": 7}, Point, TypeError),
    ],
)
def test_anything_else_is_an_error(value: Any, kind: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        typed(value, kind)
