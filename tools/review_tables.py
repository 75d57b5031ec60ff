"""The table of docs/review.md: what retraining on answers gives, from `benchmarks/results/review.json`."""

from __future__ import annotations

from typing import Any

from digitscope.formatting import markdown_table, percent

COLUMNS = {"right": "best guess right", "refused": "refused", "wrong_and_sure": "answered wrongly"}


def review_table(found: dict[str, Any]) -> str:
    """The networks with and without the answers, on digits of writers who gave none."""
    queue, (a, b) = found["queue"], found["writers"]
    rows = [
        [base, name, *(_spread(figures[column]) for column in COLUMNS)]
        for base, networks in found["networks"].items()
        for name, figures in networks.items()
    ]
    rows.append(["shipped `reader-digit`", "without", *(percent(found["shipped"][column]) for column in COLUMNS)])
    seeds = len(next(iter(found["networks"]["MNIST"].values()))["right"]["seeds"])
    about = (
        f"Of {queue['read']:,} pictures of digits by {a} writers, the shipped reader refused or was less than "
        f"{percent(found['below'], 0)} sure of {queue['doubtful']:,}. The first {queue['answers']:,} of these were "
        f"answered with their labels; {percent(queue['agreement'], 1)} of the guesses were right. Measured on "
        f"{found['measured']:,} pictures by {b} other writers; recipe `{found['recipe']}`, {seeds} seeds, mean ± "
        f"standard deviation. Machine: {found['machine']}."
    )
    return f"{markdown_table(['trained on', 'corrections', *COLUMNS.values()], rows)}\n\n{about}"


def _spread(figure: dict[str, Any]) -> str:
    return f"{100 * figure['mean']:.2f} ± {percent(figure['deviation'])}"
