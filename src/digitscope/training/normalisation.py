"""Batch normalisation while a network is fitted; afterwards it is part of the weights.

What a layer hands on is shifted and scaled so that it has mean 0 and variance 1 over the images of the step, which
lets a network learn faster and more (Ioffe and Szegedy 2015, arXiv 1502.03167). With running means in place of the
step's this is one linear map per channel, so the fitted network needs no such layers: kernels and biases take them up.
"""

from __future__ import annotations

import itertools

import numpy as np

from digitscope.arraytypes import AnyArray
from digitscope.backend import keras

MOMENTUM, EPSILON = 0.9, 1e-3
"""Share of the running mean and variance that stays at a step, and what is added to the variance."""


def normalised(network: keras.Sequential) -> keras.Sequential:
    """The network as it is fitted: each bias before a ReLU replaced by batch normalisation.

    It comes after the max pooling that follows the layer, on a quarter of the values: without a factor of its own it
    only divides by what is positive, so the largest of four stays the largest.

    Args:
        network: any untrained network of layers in a row; it shares its unchanged layers with the result.
    """
    layers: list[keras.layers.Layer] = []
    for layer, following in itertools.zip_longest(network.layers, network.layers[1:]):
        if getattr(layer, "activation", None) is not keras.activations.relu:
            if layer not in layers:
                layers.append(layer)
            continue
        layers.append(type(layer).from_config(layer.get_config() | {"activation": None, "use_bias": False}))
        if isinstance(following, keras.layers.MaxPooling2D):
            layers.append(following)
        kind = {"dtype": layer.dtype_policy}
        layers += [
            keras.layers.BatchNormalization(
                momentum=MOMENTUM, epsilon=EPSILON, scale=False, name=f"{layer.name}_norm", **kind
            ),
            keras.layers.ReLU(name=f"{layer.name}_relu", **kind),
        ]
    form = keras.Sequential([keras.Input(network.input_shape[1:]), *layers], name=network.name)
    first = {layer.name: layer.get_weights() for layer in network.layers}
    for layer in form.layers:
        if not isinstance(layer, keras.layers.BatchNormalization) and layer.get_weights():
            layer.set_weights(first[layer.name][: len(layer.get_weights())])
    return form


def plain_weights(network: keras.Model) -> list[AnyArray]:
    """The weights of the network without normalisation that answers as this one does when it does not learn.

    Args:
        network: as ``normalised`` returns it, or without any normalisation.

    Returns:
        Of each layer its kernel and its bias, as the ``get_weights`` of the plain network.
    """
    weights: list[AnyArray] = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shift, mean, variance = layer.get_weights()
            deviation = np.sqrt(variance + EPSILON)
            weights[-1] = weights[-1] / deviation
            weights.append(shift - mean / deviation)
        else:
            weights += layer.get_weights()
    return weights
