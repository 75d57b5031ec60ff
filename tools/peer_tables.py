"""The tables of docs/results.md that set the reader beside other programs: single digits, and whole numbers.

Every figure comes from `benchmarks/results/peers.json`, which `benchmarks/peers.py` writes in one run.
"""

from __future__ import annotations

from typing import Any

from digitscope.formatting import markdown_table

SETS = {
    "kensanata_numbers": "kensanata: ballpoint digits of seven writers, photographed",
    "ardis_iv": "ARDIS IV: Swedish church records, 28x28",
    "usps": "USPS: post codes, 16x16",
    "self_drawn": "digits people drew to try their own models",
    "sudoku_scanner": "sudoku cells from phone photos, handwritten and printed",
    "orand_car_a_fzkuji": "ORAND-CAR-A: amounts cut from bank cheques, 40 to 60 px high",
    "string_photos": "photos of handwritten numbers",
    "checks_mock": "amounts on mock US cheques",
}
"""Description of each development set."""

DIGITS = """\
## Single digits from elsewhere

Digits that people wrote elsewhere, read from the picture as it came. No network was trained or calibrated on these
sets, but until November 2026 ideas were compared on them, so expect slightly lower scores on your own pictures. The
rate counts the best guess for every digit, answered or refused, with its 95 % interval. All programs were measured in
one run on the same files by the same scorer (`benchmarks/peers.py`; the sets do not ship). The others were tried in
several ways, and the best way on each set is given, which flatters them."""

NUMBERS = """\
## Whole numbers

Measured in the same run, with both engines: `own` needs no other package; `ocr`, the default where its extra is
installed, also uses RapidOCR's network.
"Exact lines" counts best guesses, with the 95 % interval; "answered" is the share of pages without a refusal, and the
next column the share of those that are right. About 2 % of the labels of ORAND-CAR-A are wrong. These sets, too, were
used to compare ideas until November 2026."""

OURS = {"reader-digit": "`reader-digit`", "robust": "`robust`", "own": "`own`", "ocr": "`ocr`"}
"""Our own programs as the tables name them; only they refuse."""


def digit_section(peers: dict[str, Any]) -> list[str]:
    """How well single digits are read, beside the other programs, and how well other things are refused."""
    programs = list(next(iter(peers["digits"].values())))
    rows = [
        [SETS[name], f"{its['reader-digit']['n']:,}", *_rates(its),
         f"{its['reader-digit']['answered']:.1f} %", f"{its['reader-digit']['right_of_answered']:.1f} %"]
        for name, its in peers["digits"].items()
    ]  # fmt: skip
    head = ("set", "n", *(OURS.get(name, name) for name in programs), "answered by `reader-digit`", "right of them")
    return [DIGITS, markdown_table(head, rows), _ways(peers["digits"]), _refusals(peers["no_digits"]), _versions(peers)]


def number_section(peers: dict[str, Any]) -> list[str]:
    """How well whole numbers are read, beside the other programs."""
    rows = [
        [SETS[name], f"{its['n']}, {its['lines']}", OURS.get(program, program), _rate(its),
         f"{its['character_error_rate']:.1f} %",
         *([f"{its['answered']:.0f} %", f"{its['right_of_answered']:.1f} %"] if program in OURS else ["", ""])]
        for name, of in peers["numbers"].items()
        for program, its in of.items()
    ]  # fmt: skip
    head = ("set", "pages, lines", "program", "exact lines", "character errors", "answered", "right among answered")
    return [NUMBERS, markdown_table(head, rows), _ways(peers["numbers"])]


def _rates(programs: dict[str, Any]) -> list[str]:
    """The rate of each program on a set as a cell of a table, the highest in bold."""
    best = max(its["right"] for its in programs.values())
    return [f"**{_rate(its)}**" if its["right"] == best else _rate(its) for its in programs.values()]


def _rate(its: dict[str, Any]) -> str:
    """A rate with its interval, in percent."""
    low, high = its["interval"]
    return f"{its['right']:.1f} % ({low:.1f} to {high:.1f})"


def _ways(sets: dict[str, Any]) -> str:
    """Which way of the other programs was the best on each set."""
    best: dict[str, dict[str, list[str]]] = {}
    for name, programs in sets.items():
        for program, its in programs.items():
            if program not in OURS:
                best.setdefault(program, {}).setdefault(its["way"], []).append(SETS[name].partition(":")[0])
    told = [
        f"{program}: " + "; ".join(f"{way} ({', '.join(where)})" for way, where in ways.items())
        for program, ways in best.items()
    ]
    return f"The ways that were best: {'. '.join(told)}."


def _refusals(no_digits: dict[str, Any]) -> str:
    """How well pictures without a digit are refused."""
    kinds = no_digits["kinds"]
    refused = ", ".join(f"{its['refused']:.1f} % of {its['n']:,} pictures of {kind}" for kind, its in kinds.items())
    areas = ", ".join(f"{its['auroc']:.4f} for {kind}" for kind, its in kinds.items())
    return (
        f"Of what is no digit, the reader refuses {refused}. Separating digits from these by `digit_probability`, the "
        f"area under the ROC curve is {areas}."
    )


def _versions(peers: dict[str, Any]) -> str:
    """The programs' versions and the machine."""
    told = ", ".join(f"{name} {version}" for name, version in peers["programs"].items())
    return f"{told}; the careful CNN is the network of `examples/plain_keras.py` after five epochs of MNIST, seed 0."
