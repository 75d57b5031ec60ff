"""Random texts for synthetic lines: amounts of money, plain numbers, dates, codes, sums, words and signs.

It draws nothing.
"""

from __future__ import annotations

import numpy as np

from digitscope.datasets.synthetic.glyphs import LETTERS

LENGTHS = (0.16, 0.1, 0.1, 0.16, 0.14, 0.1, 0.05, 0.06, 0.04, 0.04, 0.03, 0.02)
"""Shares of plain numbers with 1, 2, ... 12 digits."""

AMOUNT_LENGTHS = (0.03, 0.07, 0.14, 0.26, 0.32, 0.14, 0.04)
"""Shares of amounts with 1, 2, ... 7 digits before the cents."""

THOUSANDS = {".": 0.42, ",": 0.13, "": 0.37, " ": 0.08}
"""Shares of the marks before the last three digits of an amount."""

CENTS = {".": 0.5, ",": 0.3, "-": 0.1, " ": 0.1}
"""Shares of the marks before the cents."""

BEFORE = {"": 0.74, "$": 0.08, "$ ": 0.08, "#": 0.02, "*": 0.02, "=": 0.02, "-": 0.01, "R T ": 0.03}
"""Shares of what stands before an amount."""

AFTER = {"": 0.5, "-": 0.12, ".-": 0.1, "=": 0.06, ".=": 0.04, ",-": 0.03, ".": 0.06, "--": 0.03, "/": 0.01, "~": 0.02,
         "*": 0.015, "#": 0.015}  # fmt: skip
"""Shares of what stands after an amount."""

SIGNS = {"": 0.75, "~": 0.05, "*": 0.05, "#": 0.05, "$": 0.05, "~~": 0.05}
"""Shares of what stands on lines with neither digits nor letters."""

OPERATORS = {"+": 0.3, "-": 0.1, "×": 0.22, "÷": 0.16, ":": 0.1, "<": 0.06, ">": 0.06}
"""Shares of the signs between two numbers of a sum."""

BESIDE = {"{}": 0.3, " {}": 0.2, "|{}": 0.25, "| {}": 0.25}
"""Shares of what stands before each number after the first in a row of columns."""

WORDS = ("kg", "cm", "mm", "m", "km", "ml", "EUR", "No", "Nr", "St", "Tel", "ab", "bis", "min", "pcs")
"""What stands beside numbers as a word: units and abbreviations, also with letters that look like digits, because
their neighbours tell them apart."""

LABELS = (
    "Name", "Date", "Total", "Amount", "Phone", "Zip", "Score", "Sum", "Number", "Account", "Invoice", "Page", "Age",
    "Weight", "Height", "Price", "Code", "Room", "Class", "Item", "Order", "Pay", "Dollars", "Signed", "Student",
    "Year", "Month", "Day", "Time", "Street", "City", "Signature", "Exam", "Points", "Result", "Bill", "Meter", "Cash",
    "Qty", "Betrag", "Datum", "Seite", "Konto", "Summe", "Ort", "Strasse", "Nombre", "Fecha", "Folio", "Importe",
    "Pesos", "Montant", "Prix", "Nom", "Rue", "Valor", "Data", "Ref", "Acct", "Cheque", "Bank", "Pag", "Tot", "Lot",
    "Size",
)  # fmt: skip
"""Words that are printed on forms beside numbers and on lines of their own, with letters that look like digits too."""

AROUND = {"({})": 0.3, "{}%": 0.25, "{}:{}": 0.2, "{})": 0.15, "{}*": 0.05, "#{}": 0.05}
"""Shares of marks around numbers."""


def number(rng: np.random.Generator) -> str:
    """A number as people write them: an amount, a plain number, a date or a code."""
    draw = rng.random()
    if draw < 0.5:
        return _amount(rng)
    if draw < 0.9:
        return _plain(rng)
    if draw < 0.95:
        mark = str(rng.choice(["/", "-", "."]))
        return mark.join([_digits(rng, 2), _digits(rng, 2), _digits(rng, int(rng.choice([2, 4])))])
    return "-".join(_digits(rng, int(rng.integers(2, 5))) for _ in range(int(rng.integers(2, 4))))


def marked(rng: np.random.Generator) -> str:
    """Numbers with other marks among them: a sum, columns with rules between, letters beside digits, brackets."""
    draw = rng.random()
    if draw < 0.35:
        return _sum(rng)
    if draw < 0.6:
        return _columns(rng)
    if draw < 0.85:
        return _with_letters(rng)
    form = _one_of(AROUND, rng)
    return form.format(*(_digits(rng, int(rng.integers(1, 5))) for _ in range(form.count("{}"))))


def no_number(rng: np.random.Generator) -> str:
    """A text without digits: a word, signs, or nothing at all."""
    draw = rng.random()
    if draw < 0.3:
        return "".join(rng.choice(list(LETTERS), int(rng.integers(1, 8))))
    if draw < 0.6:
        return " ".join(rng.choice(LABELS, int(rng.choice([1, 1, 2])))) + (":" if rng.random() < 0.3 else "")
    return _one_of(SIGNS, rng)


def _plain(rng: np.random.Generator) -> str:
    """Digits alone: sometimes all the same, sometimes spaced out."""
    length = 1 + int(rng.choice(len(LENGTHS), p=LENGTHS))
    text = _digits(rng, length)
    if rng.random() < 0.15:
        text = text[0] * length
    return " ".join(text) if rng.random() < 0.12 else text


def _amount(rng: np.random.Generator) -> str:
    """An amount of money, with the signs that people put before, inside and after it."""
    length = 1 + int(rng.choice(len(AMOUNT_LENGTHS), p=AMOUNT_LENGTHS))
    digits = _digits(rng, length)
    if digits[0] == "0":
        digits = str(rng.integers(1, 10)) + digits[1:]
    zeros = int(rng.integers(0, length)) if rng.random() < 0.4 else 0
    digits = digits[: length - zeros] + "0" * zeros
    mark = _one_of(THOUSANDS, rng)
    text = digits if length < 4 else digits[:-3] + mark + digits[-3:]
    if rng.random() < 0.2:
        text += _one_of(CENTS, rng) + str(rng.choice(["00", _digits(rng, 2)]))
    text += _one_of(AFTER, rng)
    return _one_of(BEFORE, rng) + text


def _sum(rng: np.random.Generator) -> str:
    """Two or three numbers with signs between them; half of the sums have a result."""
    space = " " if rng.random() < 0.3 else ""
    text = _digits(rng, int(rng.integers(1, 4)))
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        text += space + _one_of(OPERATORS, rng) + space + _digits(rng, int(rng.integers(1, 4)))
    return text + (f"{space}={space}{_digits(rng, int(rng.integers(1, 4)))}" if rng.random() < 0.5 else "")


def _columns(rng: np.random.Generator) -> str:
    """Numbers side by side with a rule between some of them, sometimes one before the first or after the last."""
    length = int(rng.integers(1, 4))
    text = ("|" if rng.random() < 0.2 else "") + _digits(rng, length)
    for _ in range(int(rng.integers(1, 4))):
        text += (" " if rng.random() < 0.3 else "") + _one_of(BESIDE, rng).format(_digits(rng, length))
    return text + ("|" if rng.random() < 0.2 else "")


def _with_letters(rng: np.random.Generator) -> str:
    """A number with a letter or a word before or after it, or with letters inside it."""
    digits = _digits(rng, int(rng.integers(1, 5)))
    space = " " if rng.random() < 0.4 else ""
    letters = "".join(rng.choice(list(LETTERS), int(rng.choice([1, 1, 1, 2, 3]))))
    draw = rng.random()
    word = letters if draw < 0.4 else str(rng.choice(WORDS if draw < 0.7 else LABELS))
    if rng.random() < 0.25:
        return digits + letters + _digits(rng, int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        return digits + space + word
    return word + (":" if rng.random() < 0.2 else "") + space + digits


def _digits(rng: np.random.Generator, length: int) -> str:
    return "".join(map(str, rng.integers(0, 10, length)))


def _one_of(shares: dict[str, float], rng: np.random.Generator) -> str:
    """A key, as often as its share says."""
    return str(rng.choice(list(shares), p=list(shares.values())))
