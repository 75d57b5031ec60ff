"""What may be known about the form of a number: what contradicts itself, what fits, and what can still become so."""

from __future__ import annotations

import pytest

from digitscope.errors import ConfigError
from digitscope.reading.constraint import Constraint


@pytest.mark.parametrize("bad", [{"length": 0}, {"max_value": -1}, {"pattern": "--"}, {"pattern": "##", "length": 3},
                                 {"pattern": "20##", "length": 2}])  # fmt: skip
def test_constraints_that_cannot_be_met_are_refused(bad: dict):
    with pytest.raises(ConfigError):
        Constraint(**bad)


@pytest.mark.parametrize(
    ("constraint", "text", "begins", "fits"),
    [
        (Constraint(length=3), "12", True, False),
        (Constraint(length=3), "1.23", True, True),
        (Constraint(length=3), "1234", False, False),
        (Constraint(max_value=50), "", True, True),
        (Constraint(max_value=50), "51", False, False),
        (Constraint(pattern="##-##"), "12-34", True, True),
        (Constraint(pattern="##-##"), "1234", True, True),
        (Constraint(pattern="##-##"), "12.34", False, False),
        (Constraint(pattern="20##", max_value=2030), "2031", False, False),
    ],
)
def test_what_fits_and_what_can_still_fit(constraint: Constraint, text: str, begins: bool, fits: bool):
    assert (constraint.begins(text), constraint.fits(text)) == (begins, fits)


def test_nothing_known_is_no_constraint():
    assert Constraint.of() is None
    assert Constraint.of(length=3) == Constraint(length=3)
