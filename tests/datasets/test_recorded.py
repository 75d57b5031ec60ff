"""Lines by people whose pens were recorded: their own forms, one side's writers, true labels; lines without them."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_fuzz_fonts import font

from digitscope.datasets.synthetic import handwriting, recorded, texts
from digitscope.datasets.synthetic.glyphs import CHARACTERS
from digitscope.datasets.synthetic.hand import LONGEST, RULE, Hand
from digitscope.datasets.synthetic.lines import Lines, SyntheticLine
from digitscope.datasets.synthetic.recipe import (
    CameraRecipe,
    HandRecipe,
    LineRecipe,
    PaperRecipe,
    SurroundingsRecipe,
)
from digitscope.datasets.synthetic.recorded import RecordedWriters
from digitscope.errors import DataError
from digitscope.preprocessing.line import ALPHABET, OTHER
from trajectory_files import LETTERS, STRINGS, WRITERS, arrays, samples_of, write_files

QUIET = SurroundingsRecipe(words=0)
"""Without printed words, for which the small fonts of the tests have no letters."""

BARE = {
    "surroundings": SurroundingsRecipe(rule=0, upper_rule=0, box=0, rim=0, words=0, neighbours=0, shapes=0),
    "paper": PaperRecipe(patterned=0, negative=0, level=(240, 250), faintness=(0.03, 0.1), uneven=0),
    "camera": CameraRecipe(uneven=0, shadow=0, blur=0, noise=0, jpeg=0),
}

AS_EVER = "ffd92e18815ff8b92df290f4841acce9847f8aaff48aceeb3342555a79671e63"
"""Of texts, sizes and places of the first lines of seed 3, as the shipped reader saw them, without recorded writers."""

LIGHT = {3: 106.7, 6: 184.2, 7: 229.5, 10: 104.0, 13: 140.5}
"""Mean grey levels of some of these lines."""


@pytest.fixture(scope="module")
def pens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("pens"))


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handwritten and a printed font with digits only."""
    folder = tmp_path_factory.mktemp("fonts")
    for kind in ("handwritten", "printed"):
        (folder / kind).mkdir()
        (folder / kind / "a.ttf").write_bytes(font())
    return folder


@pytest.fixture(scope="module")
def some(pens: Path, fonts: Path) -> list[SyntheticLine]:
    """Lines by recorded writers, dark on white, with nothing around."""
    lines = Lines(1, fonts, LineRecipe(recorded=1, **BARE), pens)
    return [lines.line(number) for number in range(200)]


def test_without_recorded_writers_every_line_is_as_ever(fonts: Path):
    """The shipped reader was trained on these lines: another draw anywhere would change all of them."""
    lines = Lines(3, fonts, LineRecipe(strokes=0.5, mnist=0.5, handwritten=0, surroundings=QUIET))
    made = [lines.line(number) for number in range(14)]
    said = [(line.text, line.pixels.shape, np.round(np.array(line.spans).ravel(), 2).tolist()) for line in made]
    assert hashlib.sha256(repr(said).encode()).hexdigest() == AS_EVER
    assert all(abs(float(made[number].pixels.mean()) - level) < 0.5 for number, level in LIGHT.items())


def test_a_line_depends_on_seed_and_number_only(pens: Path, fonts: Path, some: list[SyntheticLine]):
    again = Lines(1, fonts, LineRecipe(recorded=1, **BARE), pens).line(17)
    assert np.array_equal(again.pixels, some[17].pixels) and again.text == some[17].text


def test_texts_are_of_the_alphabet_and_their_characters_where_the_spans_say(some: list[SyntheticLine]):
    seen = digits = 0
    for line in some:
        assert set(line.text) <= set(ALPHABET) and len(line.spans) in (0, len(line.text))
        assert all(left < right for left, right in line.spans)
        for character, (left, right) in zip(line.text, line.spans, strict=False):
            width = line.pixels.shape[1]
            part = line.pixels[:, max(0, round(left * width)) : max(1, round(right * width))]
            digits += character.isdigit()
            seen += character.isdigit() and part.size > 0 and int(part.min()) < 128
    assert digits > 300 and seen > 0.97 * digits
    assert sum(OTHER in line.text for line in some) > 30
    assert any(line.text and not line.spans for line in some), "joined numbers of which no file says where what is"


def test_words_are_other_marks_one_for_each_letter(pens: Path, fonts: Path):
    lines = Lines(1, fonts, LineRecipe(recorded=1, whole=0, empty=1, **BARE), pens)
    said = [lines.line(number).text for number in range(60)]
    assert set("".join(said)) == {OTHER} and {"", OTHER, OTHER * 3} <= set(said)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whose samples are used, in their order."""
    found: list[int] = []
    moved = recorded._moved
    monkeypatch.setattr(
        recorded, "_moved", lambda file, index, *args: found.append(file.writers[index]) or moved(file, index, *args)
    )
    return found


@pytest.mark.parametrize("validation", [False, True])
def test_only_one_side_writes(validation: bool, pens: Path, used: list[int]):
    writers, rng = RecordedWriters(pens, validation), np.random.default_rng(0)
    for _ in range(60):
        writers.number(rng)
        write = writers.writer(HandRecipe(), rng)
        assert all(write(character) for character in "0123456789Ak$-.")
    side = range(WRITERS - 2, WRITERS) if validation else range(WRITERS - 2)
    assert {*used} == {*side}


def test_every_writer_has_as_many_lines_as_the_others_and_their_own_digits(pens: Path, used: list[int]):
    writers, rng = RecordedWriters(pens), np.random.default_rng(0)
    lines = Counter[int]()
    for _ in range(600):
        write = writers.writer(HandRecipe(), rng)
        used.clear()
        assert all(write(digit) for digit in "01234568")
        assert len(set(used)) == 1 and len(used) == 8
        lines[used[0]] += 1
    assert len(lines) == WRITERS - 2 and all(70 < times < 130 for times in lines.values())
    used.clear()
    for _ in range(600):
        writers.number(rng)
    assert all(70 < times < 130 for times in Counter(used).values())


def test_what_a_writer_never_wrote_comes_from_elsewhere(pens: Path, monkeypatch: pytest.MonkeyPatch):
    """The first writer has no 7; writers with odd numbers have neither plus nor dollar; nobody has a division sign."""
    writers, rng = RecordedWriters(pens), np.random.default_rng(0)
    asked: list[str] = []
    drawn = handwriting.curve
    monkeypatch.setattr(
        handwriting, "curve", lambda character, *args: asked.append(character) or drawn(character, *args)
    )
    for _ in range(60):
        write = writers.writer(HandRecipe(), rng)
        assert all(write(character) for character in "0123456789$×÷Akg")
        assert write("Z") is None and write("~") is not None
    assert {"7", "÷", "~"} == {*asked} and 0 < asked.count("7") < 30


def test_characters_stand_on_the_line_whether_it_is_known_or_not(pens: Path):
    """A 3's line is unknown in the files, and so are the signs' of the first two writers."""
    writers, rng = RecordedWriters(pens), np.random.default_rng(0)
    for _ in range(40):
        write = writers.writer(HandRecipe(), rng)
        bottoms = {c: max(float(stroke[:, 1].max()) for stroke in write(c) or []) for c in "0123456789.-g"}
        assert all(0.85 < bottoms[digit] < 1.3 for digit in "0123456789"), bottoms
        assert 0.85 < bottoms["."] < 1.15 and 0.3 < bottoms["-"] < 0.75 and bottoms["g"] > 1.15, bottoms


def test_a_dot_is_drawn(pens: Path, tmp_path: Path):
    folder = write_files(tmp_path)
    samples = samples_of("symbols")
    for one in samples:
        if one["label"] == ".":
            one["strokes"], one["owners"] = [one["strokes"][0][:1]], [-1]
    np.savez(folder / "symbols.npz", **arrays(samples, "symbols"))
    dot = RecordedWriters(folder).writer(HandRecipe(), np.random.default_rng(0))(".")
    canvas = np.zeros((60, 60), np.uint8)
    assert dot is not None
    handwriting.draw(canvas, [stroke * np.float32(40) for stroke in dot], 5)
    assert 10 < cv2.countNonZero(canvas) < 60


def test_whole_numbers_keep_their_gaps_and_say_where_their_characters_are(pens: Path):
    writers, seen = RecordedWriters(pens), Counter[str]()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = writers.number(rng)
        hand = Hand(HandRecipe(), lambda character: None, False, rng, leaning=True)
        ink, sides = hand.copy(found.strokes)
        assert cv2.countNonZero(ink) > 0 and ink.shape[1] <= LONGEST and len(sides) == len(found.strokes)
        assert 0.8 < max(float(stroke[:, 1].max()) for stroke in found.strokes) < 1.3
        seen[found.text] += 1
        assert (found.owners is None) == (found.text == "00"), "the others are known, or can be told by their gaps"
        if found.owners is None:
            continue
        lefts = [min(left for (left, _), owner in zip(sides, found.owners, strict=True) if owner == place)
                 for place in range(len(found.text))]  # fmt: skip
        assert lefts == sorted(lefts)
    assert set(seen) == {*STRINGS, "00"}


def test_a_long_number_is_squeezed_to_the_canvas():
    hand = Hand(HandRecipe(), lambda character: None, False, np.random.default_rng(0))
    ink, sides = hand.copy([np.array([[x, 0], [x, 1]], np.float32) for x in range(40)])
    assert ink.shape[1] <= LONGEST and max(right for _, right in sides) < LONGEST
    assert len(sides) == 40 and all(a < b for a, b in itertools.pairwise(left for left, _ in sides))


def test_strokes_belong_to_characters_by_the_file_or_by_gaps():
    strokes = [np.array([[x, 0], [x + 1, 1]], np.float32) for x in (4, 0, 0.5, 2)]
    assert recorded._owners(3, strokes, [2, 0, 0, 1]) == [2, 0, 0, 1]
    assert recorded._owners(3, strokes, [-1, 0, 0, 1]) == [2, 0, 0, 1]
    assert recorded._owners(2, strokes, [-1] * 4) is None, "joined, or with a gap inside a character"


def test_a_rule_between_columns_runs_through_the_picture():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        hand = Hand(HandRecipe(pen=(0.06, 0.1)), lambda character: None, False, rng)
        ink, written = hand.write(RULE)
        assert [character for character, _, _ in written] == [RULE]
        assert ink[0].max() > 0 and ink[-1].max() > 0


def test_sides_without_writers_are_said(pens: Path, tmp_path: Path):
    folder = write_files(tmp_path)
    for kind in ("digits", "strings"):
        made = arrays(samples_of(kind), kind)
        np.savez(folder / f"{kind}.npz", **(made | {"split": np.zeros_like(made["split"])}))
    RecordedWriters(folder)
    with pytest.raises(DataError, match="the pen trajectories have no validation writers with digits and strings"):
        RecordedWriters(folder, validation=True)


def test_marked_texts_have_other_marks_that_can_be_written():
    said = [texts.marked(np.random.default_rng(number)) for number in range(400)]
    writable = set(CHARACTERS) | set(handwriting.FORMS) | {RULE, " "}
    assert set("".join(said)) <= writable and all(any(map(str.isdigit, text)) for text in said)
    assert sum(set(text) - set(ALPHABET) != {" "} for text in said) > 350
    for wanted in ("+", "×", "÷", ":", RULE, "(", "%", "kg", "A"):
        assert any(wanted in text for text in said), wanted
    assert {*"kg", *"No"} <= set(CHARACTERS) and set(LETTERS) - set(CHARACTERS) == set()
