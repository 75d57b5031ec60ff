"""The classic MNIST network in plain Keras, without Digitscope: what `digitscope train --recipe seed` does.

Usage: python plain_keras.py [EPOCHS] [MNIST.NPZ] [SEED]   (without a file, Keras downloads MNIST)
"""

import sys

import keras
import numpy as np
from keras import layers

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 12
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 0

# 1. Load: 60,000 images to learn from, 10,000 to test on, each 28 x 28 numbers of 0..255.
if len(sys.argv) > 2:
    with np.load(sys.argv[2]) as file:
        (x_train, y_train), (x_test, y_test) = (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
else:
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

# 2. Prepare: one channel, numbers 0..1, one-hot labels.
x_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)

# 3. Build: 225,034 parameters.
keras.utils.set_random_seed(SEED)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

# 4. Train, 5. evaluate.
model.fit(x_train, y_train, batch_size=128, epochs=EPOCHS)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")
