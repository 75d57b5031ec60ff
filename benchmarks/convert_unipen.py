"""Convert UNIPEN's text files (train_r01_v07) to the `.npz` files that `digitscope train-reader --unipen` reads.

Digits come from category 1a, letters from 1b and 1c, symbols from 1d, and strings from the words of category 7 that are
digits only. docs/data.md describes the files, and where the data and its licence are found. A model that is trained
through this program may differ a little from one that is trained on files prepared with more care: ids of one person in
several collections are merged by their collection only, nothing is smoothed, no label was looked at, and strings with
separators are left out. The writers are divided by the same rule: the SHA-256 of "unipen-train_r01_v07|ID" as a number,
modulo 1000, is below 150 for validation writers.

Source: the UNIPEN 1.0 format: keywords begin a line with a dot; a `.SEGMENT` names the components (the n-th `.PEN_DOWN`
or `.PEN_UP` that has coordinates, counted from 0) of which a character or word consists, as `4-6`, `4,7` or
`4:12-5:30`, the numbers after the colon being points.

Usage: python benchmarks/convert_unipen.py FOLDER OUT     FOLDER holds `data` and `include`
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitscope import files
from digitscope.datasets.trajectories import UNIT, UNKNOWN

CATEGORIES = {"1a": "digits", "1b": "letters", "1c": "letters", "1d": "symbols", "7": "strings"}

MOST = {"digits": 100, "strings": 1000, "letters": 4, "symbols": 4}
"""Samples of one label by one writer that are kept, the first ones, so that a few writers do not fill the files."""

PEOPLE = {"ap": "ap", "ce": "ce", "hp": "hp", "st": "hp"}
"""Collections, by their first two letters, whose ids name the same people; any other stands for itself."""

SHARED = ("gmd",)
"""Collections in which the same ink has several ids; each counts as one writer."""

NESTED = 8
"""Files that may include each other in a row."""

CORNER = 5.0
"""Units by which simplifying may move a stroke: 0.5 % of a digit height."""

LOWEST, HIGHEST, WIDEST = 0.3, 3.0, 30.0
"""Least height of a digit, and the greatest height and width of any sample, in digit heights; others are dropped."""

TALL = 0.5
"""Least height of a stroke of a string, as a share of its tallest, that shows the height and the line of its digits."""

ROW, NEIGHBOURS = 0.75, 2
"""Digit heights within which the bottoms of two samples of a page are on one row, and how many others tell its line."""

CAPITALS = 1.07
"""Height of capitals in digit heights: what is used where a writer has no digits."""

Strokes = list[np.ndarray]


@dataclass
class Page:
    """What a file and those that it includes say: components (None for the pen's way through the air) and segments."""

    components: list[np.ndarray | None] = field(default_factory=list)
    segments: list[tuple[str, str]] = field(default_factory=list)
    writer: str = ""
    columns: list[str] = field(default_factory=lambda: ["X", "Y"])
    resolution: dict[str, float] = field(default_factory=dict)


@dataclass
class Sample:
    """A labelled piece of writing, in the file's own units, y downwards."""

    label: str
    strokes: Strokes
    writer: str
    page: str
    top: float
    bottom: float


def statements(path: Path, include: Path, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The keywords of a file and what follows each; files that it includes are read in their place, if they exist."""
    for keyword, text in re.findall(
        r"^\.([A-Z_]+)[ \t]*((?:.|\n(?!\.))*)", path.read_text(encoding="latin-1"), re.MULTILINE
    ):
        inside = (include / text.strip()).resolve() if keyword == "INCLUDE" else None
        if inside is None:
            yield keyword, text
        elif depth < NESTED and inside.is_relative_to(include.resolve()) and inside.is_file():
            yield from statements(inside, include, depth + 1)


def page_of(path: Path, include: Path) -> Page:
    """A data file with all that it includes."""
    page = Page()
    for keyword, text in statements(path, include):
        if keyword in ("PEN_DOWN", "PEN_UP"):
            points = coordinates(text, page.columns)
            if len(points):
                page.components.append(points if keyword == "PEN_DOWN" else None)
        elif keyword == "SEGMENT" and (found := re.match(r'\S+\s+([\d:,-]+)\s+(?:(\S+)\s+)?"(.*)"', text)):
            if found[2] != "BAD":
                page.segments.append((found[1], re.sub(r'\\(["\\])', r"\1", found[3])))
        elif keyword == "WRITER_ID":
            page.writer = text.strip()
        elif keyword == "COORD":
            page.columns = text.split()
        elif re.fullmatch("[XY]_POINTS_PER_(INCH|MM)", keyword) and (found := re.match(r"[\d.]*[1-9][\d.]*", text)):
            page.resolution[keyword[0]] = float(found[0])
    return page


def coordinates(text: str, columns: list[str]) -> np.ndarray:
    """X and y of the points of a component, float (points, 2); empty if it is no table of numbers."""
    try:
        numbers = np.array(text.split(), float)
        return numbers.reshape(-1, len(columns))[:, [columns.index("X"), columns.index("Y")]]
    except ValueError:
        return np.empty((0, 2))


def ink(page: Page, place: str) -> Strokes:
    """The strokes of a segment, with square units and y downwards; empty if it is not on the page."""
    ratio = page.resolution.get("X", 1.0) / page.resolution.get("Y", page.resolution.get("X", 1.0))
    strokes = []
    for part in place.split(","):
        found = re.fullmatch(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?", part)
        if found is None:
            return []
        first, last = int(found[1]), int(found[3] or found[1])
        if not first <= last < len(page.components):
            return []
        for number in range(first, last + 1):
            component = page.components[number]
            if component is None:
                continue
            start = int(found[2] or 0) if number == first else 0
            end = found[4] if found[3] else found[2]
            stroke = component[start : int(end) + 1 if number == last and end else None]
            moved = np.ones(len(stroke), bool)
            moved[1:] = (np.diff(stroke, axis=0) != 0).any(axis=1)
            if len(stroke):
                strokes.append(stroke[moved] * (1.0, -ratio))
    return strokes


def writer_of(collection: str, name: str) -> str:
    """The id by which writers are told apart and divided."""
    return collection if collection in SHARED else f"{PEOPLE.get(collection[:2], collection)}/{name}"


def is_validation(writer: str) -> bool:
    """Whether a writer is kept out of training."""
    return int(hashlib.sha256(f"unipen-train_r01_v07|{writer}".encode()).hexdigest()[:8], 16) % 1000 < 150


def samples_of(folder: Path, dropped: Counter[str]) -> dict[str, list[Sample]]:
    """All samples of a copy of UNIPEN, by kind; counts those that cannot be used."""
    found: dict[str, list[Sample]] = {kind: [] for kind in CATEGORIES.values()}
    kept: Counter[tuple[str, str, str]] = Counter()
    for category, kind in CATEGORIES.items():
        for path in sorted((folder / "data" / category).rglob("*.dat")):
            page = page_of(path, folder / "include")
            place = path.relative_to(folder / "data" / category)
            writer = writer_of(place.parts[0], page.writer or path.stem)
            for component, label in page.segments:
                if not is_label(kind, label):
                    continue
                strokes = ink(page, component)
                if sum(map(len, strokes)) < 2:
                    dropped[f"{kind}: not on the page, or one point"] += 1
                elif kept[kind, writer, label] < MOST[kind]:
                    kept[kind, writer, label] += 1
                    y = np.concatenate(strokes)[:, 1]
                    found[kind].append(Sample(label, strokes, writer, str(place), float(y.min()), float(y.max())))
    return found


def is_label(kind: str, label: str) -> bool:
    """Whether a label belongs to a kind."""
    if not label.isascii() or not label.isprintable() or " " in label:
        return False
    if kind == "strings":
        return label.isdigit() and 2 <= len(label) <= 20
    fits = {"digits": label.isdigit(), "letters": label.isalpha(), "symbols": not label.isalnum()}
    return len(label) == 1 and fits[kind]


def digit_heights(found: dict[str, list[Sample]]) -> dict[str, float]:
    """The digit height of every page with three digits or more, and of every writer."""
    heights: dict[str, list[float]] = defaultdict(list)
    for sample in found["letters"]:
        if sample.label.isupper():
            heights[f"capitals {sample.writer}"].append((sample.bottom - sample.top) / CAPITALS)
    for sample in found["digits"]:
        for key in (f"writer {sample.writer}", f"page {sample.page}"):
            heights[key].append(sample.bottom - sample.top)
    enough = {key: values for key, values in heights.items() if len(values) > 2 or not key.startswith("page")}
    return {key: float(np.median(values)) for key, values in enough.items()}


def scaled(found: dict[str, list[Sample]], dropped: Counter[str]) -> dict[str, list[tuple[Sample, float, int]]]:
    """The samples with what a digit height is in them, in their own units, and their baseline in ``UNIT``s."""
    heights = digit_heights(found)
    kept: dict[str, list[tuple[Sample, float, int]]] = {kind: [] for kind in found}
    for kind, samples in found.items():
        pages: dict[str, list[float]] = defaultdict(list)
        for sample in samples:
            pages[sample.page].append(sample.bottom)
        for sample in samples:
            tall = tall_strokes(sample.strokes)
            keys = f"page {sample.page}", f"writer {sample.writer}", f"capitals {sample.writer}"
            own = float(np.median([np.ptp(stroke[:, 1]) for stroke in tall])) if kind == "strings" else 0.0
            unit = own or next((heights[key] for key in keys if key in heights), 0.0)
            size = np.ptp(np.concatenate(sample.strokes), axis=0) / (unit or 1e-9)
            if size[1] > HIGHEST or size[0] > WIDEST or (kind == "digits" and size[1] < LOWEST):
                dropped[f"{kind}: absurd size, or nothing to tell it by"] += 1
                continue
            near = [bottom for bottom in pages[sample.page] if abs(bottom - sample.bottom) < ROW * unit]
            line = float(np.median([stroke[:, 1].max() for stroke in tall] if kind == "strings" else near))
            known = kind == "strings" or len(near) > NEIGHBOURS
            baseline = round((line - sample.top) / unit * UNIT) if known else UNKNOWN
            kept[kind].append((sample, unit, baseline))
    return kept


def tall_strokes(strokes: Strokes) -> Strokes:
    """The strokes that are at least half as high as the tallest."""
    heights = [float(np.ptp(stroke[:, 1])) for stroke in strokes]
    return [stroke for stroke, height in zip(strokes, heights, strict=True) if height >= TALL * max(heights)]


def simplified(points: np.ndarray) -> np.ndarray:
    """A stroke without the points that are within ``CORNER`` of the straight line past them (Ramer-Douglas-Peucker)."""
    kept, parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        way, away = points[last] - points[first], points[first + 1 : last] - points[first]
        along = np.clip(away @ way / max(float(way @ way), 1e-9), 0, 1)
        distance = np.hypot(*(away - along[:, None] * way).T)
        if distance.max() > CORNER:
            middle = first + 1 + int(distance.argmax())
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    return points[sorted(kept)]


def arrays(kind: str, samples: list[tuple[Sample, float, int]], numbers: dict[str, int]) -> dict[str, np.ndarray]:
    """The arrays of a file."""
    strokes = []
    for sample, unit, _ in samples:
        corner = np.concatenate(sample.strokes).min(axis=0)
        strokes += [np.rint(simplified((stroke - corner) / unit * UNIT)) for stroke in sample.strokes]
    labels = np.array([sample.label for sample, _, _ in samples])
    made = {
        "points": np.concatenate(strokes).astype(np.int16),
        "stroke_off": np.cumsum([0, *map(len, strokes)]).astype(np.int32),
        "sample_off": np.cumsum([0, *(len(sample.strokes) for sample, _, _ in samples)]).astype(np.int32),
        "label": labels.astype(np.uint8) if kind == "digits" else labels,
        "writer": np.array([numbers[sample.writer] for sample, _, _ in samples], np.uint16),
        "split": np.array([is_validation(sample.writer) for sample, _, _ in samples], np.uint8),
        "baseline": np.array([np.clip(baseline, UNKNOWN, -UNKNOWN - 1) for _, _, baseline in samples], np.int16),
    }
    return made | ({"stroke_char": np.full(len(strokes), -1, np.int16)} if kind == "strings" else {})


def convert(folder: Path, out: Path) -> None:
    """Write the four files, and print how many samples each has and what was dropped."""
    dropped: Counter[str] = Counter()
    kept = scaled(samples_of(folder, dropped), dropped)
    writers = {sample.writer for samples in kept.values() for sample, _, _ in samples}
    order = sorted(writers, key=lambda writer: hashlib.sha256(writer.encode()).hexdigest())
    numbers = {writer: number for number, writer in enumerate(order)}
    for kind, samples in kept.items():
        if not samples:
            raise SystemExit(f"{folder} has no {kind}; expected train_r01_v07 with its folders data and include")
        with files.atomic_path(out / f"{kind}.npz") as temporary:
            np.savez_compressed(temporary, **arrays(kind, samples, numbers))
        validation = sum(is_validation(sample.writer) for sample, _, _ in samples)
        print(f"{kind}: {len(samples) - validation:,} for training, {validation:,} for validation")
    print(f"{len(writers)} writers, {sum(map(is_validation, writers))} of them for validation")
    for what, count in sorted(dropped.items()):
        print(f"dropped, {what}: {count:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    convert(**vars(parser.parse_args()))
