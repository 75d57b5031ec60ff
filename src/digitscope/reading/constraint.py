"""Constraints: what is known in advance about a number: its length, its pattern, its largest value."""

from __future__ import annotations

from dataclasses import dataclass

from digitscope.errors import ConfigError

DIGITS = "0123456789"

PLACES = "#" + DIGITS
"""Characters of a pattern that stand for one digit: any digit, or this one."""


@dataclass(frozen=True)
class Constraint:
    """What is known about the form of a number; None for a part that is not known.

    Attributes:
        length: its number of digits.
        pattern: ``#`` for a digit, anything else for itself (``"#####-####"``, ``"20##"``); separators may be missing
            in the text.
        max_value: the largest value that its digits may have.
    """

    length: int | None = None
    pattern: str | None = None
    max_value: int | None = None

    def __post_init__(self) -> None:
        """Check each part, and the length against the pattern."""
        if self.length is not None and self.length < 1:
            raise ConfigError(f"length={self.length} is out of range; expected at least 1")
        if self.max_value is not None and self.max_value < 0:
            raise ConfigError(f"max_value={self.max_value} is out of range; expected 0 or more")
        if self.pattern is not None and "#" not in self.pattern:
            raise ConfigError(f"pattern={self.pattern!r} has no place for a digit; write # for each")
        if self.pattern is not None and self.length not in (None, self.digits):
            raise ConfigError(f"length={self.length} does not fit pattern={self.pattern!r} with {self.digits} digits")

    @classmethod
    def of(
        cls, length: int | None = None, pattern: str | None = None, max_value: int | None = None
    ) -> Constraint | None:
        """The constraint, or None if nothing is known."""
        given = (length, pattern, max_value)
        return None if given == (None, None, None) else cls(*given)

    @property
    def digits(self) -> int | None:
        """The required number of digits; None if any number will do."""
        return self.length if self.pattern is None else sum(character in PLACES for character in self.pattern)

    @property
    def separated(self) -> set[int]:
        """After how many digits a pattern has something else.

        >>> Constraint(pattern="(##) ##-####").separated
        {0, 2, 4}
        """
        pattern = self.pattern or ""
        return {
            sum(one in PLACES for one in pattern[:place])
            for place, character in enumerate(pattern)
            if character not in PLACES
        }

    def begins(self, text: str) -> bool:
        """Whether a text can be extended to one that fits.

        >>> Constraint(pattern="##-#").begins("12-"), Constraint(length=2).begins("123")
        (True, False)
        >>> Constraint(pattern="20##").begins("201"), Constraint(pattern="20##").begins("21")
        (True, False)
        """
        digits = digits_of(text)
        if self.digits is not None and len(digits) > self.digits:
            return False
        if self.max_value is not None and digits and int(digits) > self.max_value:
            return False
        return self.pattern is None or _begins_pattern(text, self.pattern)

    def fits(self, text: str) -> bool:
        """Whether a text is complete and has this form."""
        return self.begins(text) and (self.digits is None or len(digits_of(text)) == self.digits)


def digits_of(text: str) -> str:
    """The digits of a text.

    >>> digits_of("7.795.-")
    '7795'
    """
    return "".join(character for character in text if character.isdigit())


def _begins_pattern(text: str, pattern: str) -> bool:
    """Whether a text can be the beginning of a pattern; it may lack the pattern's separators."""
    at = 0
    for character in text:
        while at < len(pattern) and pattern[at] not in PLACES and pattern[at] != character and character.isdigit():
            at += 1
        if at == len(pattern) or (pattern[at] != character and not (pattern[at] == "#" and character.isdigit())):
            return False
        at += 1
    return True
