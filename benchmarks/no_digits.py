"""Random drawings that are not digits: letters, scribbles, doodles, shapes, blots and spoilt digits.

Each function draws one field float32 (28, 28), 1 = pen. There is no network in here; `fit_known.py` uses the drawings.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ImageFont

Field = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Random = np.random.Generator

SIDE, FRAME = 200, 160
"""Sides of the squares on which pens and fonts draw."""

SIGNS = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy&?#$%@{}+=*<>"
"""Letters and signs, without those that look like digits: B D G I O Q S Z b g i l o q s z."""

MIRRORED, TURNED = (3, 4, 7, 9), (2, 3, 4, 5, 7)
"""Digits that stop being digits when mirrored, and when rotated by 90 degrees."""

ROUND = (0, 2, 3, 4, 5, 6, 8, 9)
"""Digits on which a second one remains visible."""


def field_of(picture: npt.NDArray[np.uint8]) -> Field:
    """The drawing scaled to a longer side of 20, with its centre of mass in the middle of 28x28."""
    x, y, width, height = cv2.boundingRect((picture > 127).astype(np.uint8))
    field = np.zeros((28, 28), np.float32)
    if not width:
        return field
    scale = 20 / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ink = cv2.resize(picture[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA) / np.float32(255)
    total = max(float(ink.sum()), 1e-6)
    top = int(np.clip(round(14 - float(ink.sum(axis=1) @ np.arange(size[1])) / total), 0, 28 - size[1]))
    left = int(np.clip(round(14 - float(ink.sum(axis=0) @ np.arange(size[0])) / total), 0, 28 - size[0]))
    field[top : top + size[1], left : left + size[0]] = ink
    return field


def turned(path: Points, angle: float) -> Points:
    """A path rotated about the corner by an angle in radians."""
    return path @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def inked(paths: list[Points], rng: Random) -> Field:
    """Paths drawn as large as fits, a little tilted; the pen is as wide as the page's or, now and then, any width."""
    pen = float(np.clip(rng.uniform(1.5, 4.5), *((2.3, 3.8) if rng.random() < 0.8 else (1.2, 4.5)))) * SIDE / 20
    tilt = rng.normal(0, 0.1)
    tilted = [turned(path, tilt) for path in paths]
    low, high = np.vstack(tilted).min(axis=0), np.vstack(tilted).max(axis=0)
    scale = (SIDE - pen) / max(*(high - low), 1e-6)
    picture = np.zeros((SIDE, SIDE), np.uint8)
    for path in tilted:
        spots = (path - low) * scale + pen / 2
        cv2.polylines(picture, [np.round(spots * 16).astype(np.int32)], False, 255, round(pen), cv2.LINE_AA, 4)
    return field_of(picture)


def smooth(points: Points, parts: int = 8) -> Points:
    """A Catmull-Rom curve through the points."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = ends[:-3, None], ends[1:-2, None], ends[2:-1, None], ends[3:, None]
    t = np.linspace(0, 1, parts)[None, :, None]
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return path.reshape(-1, 2)


def by_hand(forms: str, rng: Random) -> Field:
    """One of the forms of a letter or doodle as a writer might draw it: wobbly, slanted, stretched, bent."""
    form = rng.choice(forms.split("/"))
    wobble, loose = rng.uniform(0.5, 5), rng.uniform(0, 4)
    slant, stretch = rng.normal(0.1, 0.18), rng.lognormal(0, 0.18)
    bend = rng.normal(0, 2.5, (2, 2))
    paths = []
    for stroke in form.split(";"):
        points = np.array([[float(x) for x in spot.split(",")] for spot in stroke.strip(" |").split()])
        points = points + rng.normal(0, wobble, points.shape) + rng.normal(0, loose, 2)
        path = points if "|" in stroke or len(points) < 3 else smooth(points)
        path = path + bend[0] * np.sin(path[:, ::-1] / 25) + bend[1] * np.cos(path[:, ::-1] / 25)
        paths.append(path * [stretch, 1] - slant * path[:, 1:] * [1, 0])
    return inked(paths, rng)


@cache
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), 120)


def by_font(letter: str, path: Path, rng: Random) -> Field:
    """A letter of a font; usually thickened, always tilted, slanted, stretched and bent."""
    mask, _ = _font(path).getmask2(letter, "L", anchor="ls")
    glyph = np.asarray(mask, np.uint8).reshape(mask.size[1], mask.size[0])
    if not glyph.any():
        return np.zeros((28, 28), np.float32)
    scale = rng.uniform(70, 100) / max(glyph.shape)
    glyph = cv2.resize(glyph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.zeros((FRAME, FRAME), np.uint8)
    top, left = (FRAME - glyph.shape[0]) // 2, (FRAME - glyph.shape[1]) // 2
    picture[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    if (more := int(rng.integers(-1, 5))) > 0:
        picture = cv2.dilate(picture, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * more + 1,) * 2))
    turn, slant, stretch = rng.normal(0, 0.12), rng.normal(-0.1, 0.18), rng.uniform(0.75, 1.25)
    matrix = np.array([[stretch * np.cos(turn), slant - np.sin(turn)], [stretch * np.sin(turn), np.cos(turn)]])
    middle = np.full(2, FRAME / 2)
    picture = cv2.warpAffine(picture, np.c_[matrix, middle - matrix @ middle], (FRAME, FRAME))
    grids = rng.normal(0, rng.uniform(0, 6), (2, 4, 4)).astype(np.float32)
    across, down = (cv2.resize(grid, (FRAME, FRAME), interpolation=cv2.INTER_CUBIC) for grid in grids)
    rows, columns = np.mgrid[:FRAME, :FRAME].astype(np.float32)
    return field_of(cv2.remap(picture, columns + across, rows + down, cv2.INTER_LINEAR))


def scribble(rng: Random) -> Field:
    """A wandering pen: one stroke or several, short or long, smooth or with corners, in loops or back and forth."""
    paths = []
    for _ in range(rng.integers(1, 4)):
        n, step, kind = int(rng.integers(8, 36)), rng.uniform(15, 75), rng.integers(5)
        if kind == 0:
            heading = np.cumsum(rng.normal(rng.normal(0, 0.5), 1.0, n))
            path = np.cumsum(step * np.stack([np.cos(heading), np.sin(heading)], 1), axis=0)
        elif kind == 1:
            path = rng.uniform(0, FRAME, (min(n, 14), 2))
        elif kind == 2:
            angle = np.linspace(0, rng.uniform(12, 40), 6 * n)
            reach = rng.uniform(15, 60, 2) * rng.uniform(0.6, 1, (6 * n, 1))
            drift = rng.choice([-1, 1], 2) * rng.uniform(30, 120, 2)
            path = np.stack([np.cos(angle), np.sin(angle)], 1) * reach + np.linspace(0, 1, 6 * n)[:, None] * drift
        elif kind == 3:
            to_and_fro = np.where(np.arange(n) % 2, 1, -1) * rng.uniform(30, 70) + rng.normal(0, 8, n)
            path = np.stack([to_and_fro, np.linspace(-60, 60, n) + rng.normal(0, 4, n)], 1)
        else:
            path = np.cumsum(rng.normal(0, step, (n, 2)), axis=0)
        path = turned(path, rng.uniform(0, 6.3)) + rng.uniform(0, FRAME, 2)
        path = np.abs((path + FRAME) % (2 * FRAME) - FRAME) if rng.random() < 0.7 else path
        paths.append(smooth(path, 5) if rng.random() < 0.7 else path)
    return inked(paths, rng)


def oval(rng: Random, low: float, high: float, around: float = 35) -> Points:
    """An ellipse, or part of one, somewhere near the middle."""
    middle, radii = 80 + rng.uniform(-around, around, 2), rng.uniform(low, high, 2)
    angles = rng.uniform(0, 6.3) + np.linspace(0, rng.choice([6.5, rng.uniform(2, 6)]), 24)
    return middle + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def polygon(rng: Random, corners: int) -> Points:
    """A closed shape with corners on an oval."""
    angles = np.sort(np.arange(corners) / corners * 6.283 + rng.normal(0, 0.25, corners)) + rng.uniform(0, 6.3)
    reach = rng.uniform(25, 60, 2) * rng.uniform(0.75, 1, (corners, 1))
    points = 80 + rng.uniform(-15, 15, 2) + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.vstack([points, points[:1]])


def ring(x: float, y: float, wide: float, high: float) -> Points:
    """A closed curve drawn from the top."""
    angles = np.linspace(0, 6.4, 20)
    return np.stack([x + wide * np.sin(angles), y - high * np.cos(angles)], axis=1)


def figure(rng: Random) -> Field:
    """A person, a tree or a house in random proportions."""

    def line(*spots: float) -> Points:
        return np.reshape(spots, (-1, 2)) + rng.normal(0, 2.5, (len(spots) // 2, 2))

    def person() -> list[Points]:
        head, body, reach = rng.uniform(8, 20), rng.uniform(20, 45), rng.uniform(14, 36, 4)
        neck, arms = 2 * head, 2 * head + rng.uniform(0.05, 0.6) * body
        hip, foot = 2 * head + body, 2 * head + body + rng.uniform(20, 45)
        lift = rng.uniform(-25, 25, 2)
        hands = [line(-reach[0], arms + lift[0], 0, arms, reach[1], arms + lift[1])]
        legs = [line(0, hip, -reach[2] * 0.8, foot), line(0, hip, reach[3] * 0.8, foot)]
        return [ring(0, head, head * rng.uniform(0.8, 1.1), head), line(0, neck, 0, hip), *hands, *legs]

    def tree() -> list[Points]:
        crown, wide, trunk = rng.uniform(40, 80), rng.uniform(18, 45), rng.uniform(15, 50)
        kind, foot = rng.integers(5), crown + trunk
        stem = [line(0, crown * rng.uniform(0.7, 1), 0, foot)]
        if rng.random() < 0.3:
            stem = [line(-6, crown - 3, -7, foot), line(6, crown - 3, 7, foot)]
        if kind == 0:
            return [ring(0, crown / 2, wide, crown / 2), *stem]
        if kind == 1:
            return [line(0, 0, wide, crown, -wide, crown, 0, 0), *stem]
        if kind == 2:
            tiers = np.linspace(0, crown * 0.6, int(rng.integers(2, 4)))
            part = crown - tiers[-1]
            return [line(0, t, wide * (0.6 + t / crown), t + part, -wide * (0.6 + t / crown), t + part, 0, t)
                    for t in tiers] + stem  # fmt: skip
        if kind == 3:
            boughs = np.linspace(crown * 0.3, crown, int(rng.integers(2, 5)))
            return [line(0, 0, 0, foot)] + [line(-wide, b - wide * 0.6, 0, b, wide, b - wide * 0.6) for b in boughs]
        angles = np.linspace(0, 6.3, 40)
        reach = 1 + rng.uniform(0.08, 0.2) * np.cos(angles * rng.integers(5, 9))
        return [np.stack([wide * reach * np.sin(angles), crown / 2 * (1 - reach * np.cos(angles))], 1), *stem]

    def house() -> list[Points]:
        wide, high, roof, over = rng.uniform(25, 50), rng.uniform(30, 80), rng.uniform(15, 50), rng.uniform(0, 12)
        parts = [line(-wide, roof, -wide, roof + high, wide, roof + high, wide, roof, -wide, roof)]
        parts.append(line(-wide - over, roof, rng.uniform(-8, 8), 0, wide + over, roof))
        door, x = roof + high * rng.uniform(0.4, 0.6), rng.uniform(-wide * 0.6, wide * 0.2)
        if rng.random() < 0.6:
            parts.append(line(x, roof + high, x, door, x + 0.4 * wide, door, x + 0.4 * wide, roof + high))
        if rng.random() < 0.3:
            parts.append(line(wide * 0.5, roof * 0.4, wide * 0.5, -6, wide * 0.75, -6, wide * 0.75, roof * 0.6))
        return parts

    return inked((person, tree, house)[rng.integers(3)](), rng)


def shape(rng: Random) -> Field:
    """A closed shape, a cross, a star, a spiral, rays, bars, a zigzag, or several of them."""

    def star() -> list[Points]:
        corners = polygon(rng, int(rng.integers(4, 7)) * 2)[:-1]
        if rng.random() < 0.5:
            return [np.vstack([corners[:: rng.integers(2, 4)]] * 2)]
        dents = np.where(np.arange(len(corners)) % 2, 0.45, 1)[:, None]
        return [80 + (corners - 80) * dents]

    def lines(n: int) -> list[Points]:
        turn = rng.uniform(0, 3.2)
        ways = [turn + i * np.pi / n + rng.normal(0, 0.12) for i in range(n)]
        middles = 80 + rng.uniform(-18, 18, (n, 2))
        return [m + np.array([[-1], [1]]) * rng.uniform(30, 60) * [np.cos(a), np.sin(a)]
                for m, a in zip(middles, ways, strict=True)]  # fmt: skip

    def spiral() -> list[Points]:
        angle = np.linspace(0.5, rng.uniform(9, 24), 90)
        around = np.stack([np.cos(angle), rng.choice([-1, 1]) * np.sin(angle)], axis=1)
        return [80 + (angle / angle[-1] * 60)[:, None] * around]

    def bars() -> list[Points]:
        places = np.linspace(35, 125, int(rng.integers(2, 4)))
        level = [np.array([[20, p + rng.normal(0, 5)], [140, p + rng.normal(0, 5)]]) for p in places]
        return level + ([path[:, ::-1] for path in level] if rng.random() < 0.5 else [])

    def zigzag() -> list[Points]:
        n, flat = int(rng.integers(4, 9)), rng.uniform(15, 45)
        points = np.stack([np.linspace(20, 140, n), 80 + flat * np.where(np.arange(n) % 2, 1, -1)], axis=1)
        points += rng.normal(0, 5, (n, 2))
        return [smooth(points) if rng.random() < 0.5 else points]

    def on_a_stem() -> list[Points]:
        top, foot = polygon(rng, int(rng.integers(3, 8))), rng.normal(80, 8)
        low = top[:, 1].max()
        return [top * [1, 0.7], np.array([[rng.normal(80, 8), low * 0.7 - 4], [foot, low * 0.7 + rng.uniform(25, 60)]])]

    def dented() -> list[Points]:
        n = int(rng.integers(1, 4))
        angles = np.linspace(0, 6.283, 12 * n + 1)
        reach = rng.uniform(35, 60) * (1 - rng.uniform(0.4, 0.7) * np.abs(np.cos(angles * n / 2)) ** rng.integers(3, 8))
        return [80 + reach[:, None] * np.stack([np.sin(angles), -np.cos(angles)], 1) * rng.uniform(0.8, 1.1, 2)]

    def with_marks() -> list[Points]:
        marks = 80 + rng.uniform(-28, 28, (int(rng.integers(2, 6)), 1, 2)) + rng.normal(0, 9, (1, 3, 2))
        return [ring(80, 80, *rng.uniform(45, 60, 2)), *marks]

    makers = (
        on_a_stem, dented, with_marks,
        lambda: [polygon(rng, int(rng.integers(3, 7)))], lambda: [polygon(rng, 3)], star, spiral, bars, zigzag,
        lambda: lines(int(rng.integers(2, 5))), lambda: lines(2),
        lambda: [polygon(rng, int(rng.integers(3, 7))), *lines(int(rng.integers(1, 4)))],
        lambda: [oval(rng, 10, 45), *lines(int(rng.integers(1, 4)))],
        lambda: [oval(rng, 8, 40) for _ in range(rng.integers(2, 6))],
        lambda: [polygon(rng, int(rng.integers(3, 6))), polygon(rng, int(rng.integers(3, 6)))],
    )  # fmt: skip
    return inked(makers[rng.integers(len(makers))](), rng)


def blot(rng: Random) -> Field:
    """A filled shape, plain or mottled, a nearly level dash or, one time in five, nothing at all."""
    picture = np.zeros((FRAME, FRAME), np.uint8)
    kind, radii = rng.integers(5), tuple(int(r) for r in rng.integers(10, 60, 2))
    if kind == 1:
        cv2.ellipse(picture, (80, 80), radii if rng.random() < 0.5 else radii[:1] * 2, 0, 0, 360, 255, -1, cv2.LINE_AA)
    if kind == 2:
        cv2.fillPoly(picture, [polygon(rng, int(rng.integers(3, 7))).astype(np.int32)], 255, cv2.LINE_AA)
    if kind == 3:
        rise = int(rng.integers(-25, 26))
        cv2.line(picture, (25, 80 - rise), (135, 80 + rise), 255, int(rng.integers(6, 25)), cv2.LINE_AA)
    if kind == 4:
        for _ in range(rng.integers(1, 4)):
            cv2.fillPoly(picture, [polygon(rng, int(rng.integers(3, 9))).astype(np.int32)], 255, cv2.LINE_AA)
        cells = int(rng.integers(2, 12))
        mottled = cv2.resize(rng.uniform(0.2, 1, (cells, cells)), (FRAME, FRAME), interpolation=cv2.INTER_LINEAR)
        picture = (picture * np.clip(mottled * rng.uniform(0.8, 1.6), 0, 1)).astype(np.uint8)
    return field_of(picture)


def spoilt(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], rng: Random) -> Field:
    """A training digit mirrored, rotated by 90 degrees, or with another one on top."""

    def one(of: tuple[int, ...]) -> Field:
        return images[rng.choice(np.flatnonzero(np.isin(labels, of)))] / np.float32(255)

    kind = rng.integers(3)
    if kind == 0:
        return one(MIRRORED)[:, ::-1]
    if kind == 1:
        return np.rot90(one(TURNED), rng.choice([1, 3]))
    way = rng.uniform(0, 6.3)
    shift = np.round(rng.uniform(3, 7) * np.array([np.sin(way), np.cos(way)])).astype(int)
    return np.maximum(one(ROUND), np.roll(one(tuple(range(10))), shift, (0, 1)))
