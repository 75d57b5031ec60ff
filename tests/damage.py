"""Ways in which files get damaged, each decided by a number; and what a reader may make of them."""

from __future__ import annotations

import copy
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from digitscope.errors import DigitscopeError

MOST_MEMORY = 600
"""Megabytes by which a test of damaged files may make the process grow."""

EXTREME = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\xff" * 8,
    b"\n",
    b'"',
    b"\xed\xa0\x80",
)
"""Bytes that mean the smallest, the largest or nothing in many formats; the last is half of a character."""

STRANGE = (
    None, True, -1, 0, 2**31, 10**18, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "\0\n\u2028\ud800",
    "x" * 5000, [], {}, [0] * 300, [[[[]]]], {"name": 1}, {"": None},
)  # fmt: skip
"""Values that JSON may hold where another was expected."""


def damaged(content: bytes, seed: int) -> bytes:
    """A file's bytes cut short, with bits turned over, bytes inserted or lost, or parts that have changed places."""
    rng = random.Random(seed)
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        place, length = rng.randrange(len(made) + 1), rng.choice((1, 1, 2, 4, 30, 300))
        kind = rng.randrange(7)
        if kind == 0:
            del made[place:]
        elif kind == 1 and place < len(made):
            made[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            made[place:place] = rng.randbytes(length)
        elif kind == 3:
            del made[place : place + length]
        elif kind == 4:
            extreme = rng.choice(EXTREME)
            made[place : place + len(extreme)] = extreme
        elif kind == 5:
            other = rng.randrange(len(made) + 1)
            part = bytes(made[other : other + length])
            made[place : place + len(part)] = part
        else:
            made = made[place:] + made[:place]
    return bytes(made)


def distorted(value: Any, seed: int) -> Any:
    """A value of JSON in which something is missing, doubled, or of another kind."""
    rng = random.Random(seed)
    made = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        inside: Any = made
        while True:
            keys: list[Any] = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(inside[key], dict | list) and inside[key] and rng.random() < 0.7:
                inside = inside[key]
                continue
            kind = rng.randrange(6)
            if kind == 0:
                del inside[key]
            elif kind == 1 and isinstance(inside, list):
                inside.insert(key, copy.deepcopy(inside[key]))
            elif kind == 2 and type(inside[key]) in (int, float):
                inside[key] = rng.choice((-inside[key], inside[key] * 1000, inside[key] + 1, str(inside[key])))
            else:
                inside[key] = copy.deepcopy(rng.choice(STRANGE))
            break
    return made


def refused(read: Callable[[], Any]) -> str | None:
    """The sentence in which a reader refuses; None where it reads. Any other exception passes on and fails the test."""
    try:
        read()
    except DigitscopeError as error:
        said = str(error)
        assert said and len(said) < 700 and said.isprintable(), said
        return type(error).__name__
    return None


def tally(cases: int, read: Callable[[int], Any]) -> Counter[str | None]:
    """How often a reader read (None) and refused (by kind of error) what a number of seeds had damaged."""
    before, found = _megabytes(), Counter[str | None]()
    for seed in range(cases):
        try:
            found[refused(lambda seed=seed: read(seed))] += 1  # type: ignore[misc]
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    assert _megabytes() - before < MOST_MEMORY
    return found


def _megabytes() -> float:
    """The most memory that this process has ever had; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
