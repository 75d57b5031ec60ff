"""CTC decoding: against sums over all paths, under constraints, and where characters stand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.preprocessing.line import ALPHABET, CLASSES
from digitscope.reading.constraint import Constraint, digits_of
from digitscope.reading.ctc import (
    beam_search,
    best_path,
    digits_only,
    log_probabilities,
    places,
    softmax,
)


def spelled(path: tuple[int, ...]) -> str:
    """What a path spells, by the definition of CTC."""
    return "".join(ALPHABET[c - 1] for c, _ in itertools.groupby(path) if c)


def lattice(columns: int, classes: tuple[int, ...], seed: int) -> np.ndarray:
    """Probabilities of a few classes in some columns, the others impossible."""
    table = np.zeros((columns, CLASSES), np.float32)
    table[:, classes] = np.random.default_rng(seed).dirichlet(np.ones(len(classes)), columns)
    return table


def by_hand(table: np.ndarray) -> dict[str, float]:
    """Probability of every text: the sum over all paths."""
    alive = [np.flatnonzero(column) for column in table]
    total: dict[str, float] = {}
    for path in itertools.product(*alive):
        chance = float(np.prod([table[t, c] for t, c in enumerate(path)]))
        total[spelled(path)] = total.get(spelled(path), 0.0) + chance
    return total


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(0, 10**6))
def test_a_wide_beam_finds_what_all_paths_add_up_to(columns: int, seed: int):
    table = np.where(lattice(columns, (0, 2, 8, 11), seed) < 0.01, 0, lattice(columns, (0, 2, 8, 11), seed))
    table /= table.sum(axis=1, keepdims=True)
    truth = by_hand(table)
    found = beam_search(table.astype(np.float32), beam=10_000)
    assert [round(p, 5) for _, p in found] == sorted((round(p, 5) for _, p in found), reverse=True)
    for text, chance in found:
        assert chance == pytest.approx(truth.get(text, 0.0), abs=1e-4)
        if chance > 1e-3:
            assert np.exp(log_probabilities([table], [text, "1"]))[0, 0] == pytest.approx(truth[text], rel=1e-3)


def test_repeats_need_a_blank_between():
    seven, nothing = np.eye(CLASSES, dtype=np.float32)[[8, 0]]
    assert best_path(np.stack([seven, seven, nothing, seven])) == "77"
    assert beam_search(np.stack([seven, seven]))[0][0] == "7"


def test_a_thousand_uncertain_columns_do_not_underflow():
    table = softmax(np.random.default_rng(0).normal(0, 1, (1000, CLASSES)).astype(np.float32))
    found = beam_search(table, beam=3)
    assert found and all(np.isfinite(p) for _, p in found)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (Constraint(length=2), "18"),
        (Constraint(length=1), "8"),
        (Constraint(max_value=8), "8"),
        (Constraint(pattern="#-#"), "1-8"),
        (Constraint(pattern="1#"), "18"),
        (Constraint(pattern="#8"), "18"),
    ],
)
def test_constraints_pick_what_fits(constraint: Constraint, expected: str):
    table = np.full((5, CLASSES), 1e-6, np.float32)
    table[:, 0] = 0.05
    table[0, 2] = 0.55
    table[0, 0] = 0.45
    table[2, ALPHABET.index("-") + 1], table[2, 0] = 0.2, 0.8
    table[4, 9] = 0.95
    table[1], table[3] = np.eye(CLASSES)[0], np.eye(CLASSES)[0]
    found = beam_search(table, constraint=constraint)
    texts = {digits_of(expected), expected}
    assert found[0][0] in texts
    assert all(constraint.fits(text) for text, _ in found)


def test_a_constraint_that_nothing_fits_finds_nothing():
    assert beam_search(np.eye(CLASSES, dtype=np.float32)[[0, 5, 0]], constraint=Constraint(length=4)) == []


def test_places_are_in_order_and_hold_the_evidence():
    table = np.full((12, CLASSES), 1e-4, np.float32)
    table[:, 0] = 1
    for column, number in ((2, 8), (3, 8), (6, 11), (9, 2)):
        table[column] = 1e-4
        table[column, number] = 0.9
    table[9, 8] = 0.09
    found = places(table / table.sum(axis=1, keepdims=True), "7.1")
    assert [(place.text, place.first, place.last) for place in found] == [("7", 2, 3), (".", 6, 6), ("1", 9, 9)]
    assert found[2].probabilities.argmax() == 1 and found[2].probabilities.argsort()[-2] == 7
    assert found[0].probabilities.sum() == pytest.approx(1) and found[1].probabilities.sum() == 0


def test_separators_are_nothing_where_only_digits_count():
    table = softmax(np.random.default_rng(1).normal(0, 2, (9, CLASSES)).astype(np.float32))
    folded = digits_only(table)
    assert folded.shape == (9, 11) and np.allclose(folded.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(folded[:, 1:], table[:, 1:11])
