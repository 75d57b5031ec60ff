"""A set of names that stays small: what a batch keeps of the files that it has read."""

from __future__ import annotations

from hashlib import blake2b

HASH = 16
"""Bytes of a hash. Among a billion names, two have the same one with a probability of 1e-21."""

LEAST = 1 << 10
"""Places for hashes at the beginning."""


class Names:
    """A set of names that takes 32 to 64 bytes for each, however long they are, because it keeps their hashes.

    It is a hash table with linear probing in one array of bytes; a Python set takes four times as much.

    >>> names = Names()
    >>> names.add("a"), names.add("a"), "a" in names, "b" in names, len(names)
    (True, False, True, False, 1)
    """

    def __init__(self) -> None:
        self._count, self._places, self._table = 0, LEAST, bytearray(LEAST * HASH)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        code = _hash(name)
        start = self._place(code)
        return self._table[start : start + HASH] == code

    def add(self, name: str) -> bool:
        """Add a name; returns whether it is new."""
        if 2 * self._count >= self._places:
            self._double()
        added = self._put(_hash(name))
        self._count += added
        return added

    def _put(self, code: bytes) -> bool:
        start = self._place(code)
        if self._table[start : start + HASH] == code:
            return False
        self._table[start : start + HASH] = code
        return True

    def _place(self, code: bytes) -> int:
        """Where a hash is, or would be: its first byte in the table."""
        place = int.from_bytes(code[:8], "little") % self._places
        while (found := self._table[place * HASH : (place + 1) * HASH]) != code and any(found):
            place = (place + 1) % self._places
        return place * HASH

    def _double(self) -> None:
        old = self._table
        self._places *= 2
        self._table = bytearray(self._places * HASH)
        for start in range(0, len(old), HASH):
            code = bytes(old[start : start + HASH])
            if any(code):
                self._put(code)


def _hash(name: str) -> bytes:
    return blake2b(name.encode(errors="surrogatepass"), digest_size=HASH).digest()
