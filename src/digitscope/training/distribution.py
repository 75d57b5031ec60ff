"""One fit on several devices: each computes its share of every batch. That changes the speed, not what is learned.

Keras' ``DataParallel`` does the work; only its JAX backend has it. The caller chooses how many devices; the first ones
that JAX lists are taken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from digitscope.backend import keras
from digitscope.errors import ConfigError


def check_devices(devices: int, batch_size: int) -> None:
    """Make sure that a fit can be shared between devices.

    Args:
        devices: how many; 1 is always possible.
        batch_size: images per step of the optimizer, an equal number for each device.

    Raises:
        ConfigError: Keras runs on a backend that cannot share, there are fewer devices, or the batch size is not a
            multiple of them.
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
def on_devices(devices: int) -> Iterator[None]:
    """Inside the block, put every new network on several devices, and share the batches of its fit between them.

    Args:
        devices: a number that ``check_devices`` accepts; 1 changes nothing.
    """
    if devices == 1:
        yield
        return
    chosen = keras.distribution.list_devices()[:devices]
    with keras.distribution.DataParallel(devices=chosen).scope():
        yield
