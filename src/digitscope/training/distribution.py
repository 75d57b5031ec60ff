"""Several devices for one fit: each computes its share of every batch. It changes the speed, never what is learned.

Keras' own distribution does the work, which only its JAX backend can. How many devices is the caller's choice; the
first ones that JAX has are taken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from digitscope.errors import ConfigError


def check_devices(devices: int, batch_size: int) -> None:
    """Make sure that a fit can be shared.

    Args:
        devices: how many are asked for; one is always there.
        batch_size: images per step of the optimizer, of which every device takes as many.

    Raises:
        ConfigError: Keras runs on a backend that cannot share, devices are fewer, or a batch has no equal shares.
    """
    if devices < 1:
        raise ConfigError(f"devices={devices} is out of range; expected 1 or more")
    if devices == 1:
        return
    backend = keras.backend.backend()
    if backend != "jax":
        raise ConfigError(
            f"{devices} devices were asked for, and Keras runs on {backend}, which takes one; set KERAS_BACKEND=jax"
        )
    there = keras.distribution.list_devices()
    if devices > len(there):
        raise ConfigError(
            f"{devices} devices were asked for, and JAX has {len(there)} ({', '.join(there)}); ask for no more"
        )
    if batch_size % devices:
        raise ConfigError(
            f"batch_size={batch_size} has no equal shares for {devices} devices; "
            f"set batch_size={max(batch_size // devices, 1) * devices}, or ask for another number of devices"
        )


@contextlib.contextmanager
def shared_among(devices: int) -> Iterator[None]:
    """Lay every network that is built in the block on so many devices, and every batch it is fitted with in shares.

    Args:
        devices: a number that ``check_devices`` has let pass; 1 changes nothing.
    """
    if devices == 1:
        yield
        return
    chosen = keras.distribution.list_devices()[:devices]
    with keras.distribution.DataParallel(devices=chosen).scope():
        yield
