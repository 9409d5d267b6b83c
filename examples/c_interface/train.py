"""The network of network.h in NumPy, trained by libfanion_c:  train.py path/to/libfanion_c.so"""

import ctypes
import sys

try:
    import numpy as np
except ImportError:
    print("train.py: needs NumPy (Debian: python3-numpy)")
    sys.exit(77)  # which CTest reports as skipped

SAMPLES, INPUTS, HIDDEN, OUTPUTS, STEPS, RATE, SEED = 128, 16, 32, 4, 200, 0.05, 1

# --- fanion, in ten lines -------------------------------------------------------------------------

lib, opt = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
lib.fanion_last_error.restype = ctypes.c_char_p


def call(function, *arguments):
    if function(*arguments) != 0:
        sys.exit("train.py: " + lib.fanion_last_error().decode())


def add(name, w, g, kind):
    call(lib.fanion_optimizer_add, opt, name, ctypes.c_void_p(w.ctypes.data),
         ctypes.c_void_p(g.ctypes.data), 0, w.ndim, (ctypes.c_int64 * w.ndim)(*w.shape), None, kind)


# --- the network ----------------------------------------------------------------------------------


def uniform(seed, *shape):
    x = np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(2654435761)
    x += np.uint32(seed * 2246822519 % 2**32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(2246822507)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(3266489909)
    x ^= x >> np.uint32(16)
    return ((x >> np.uint32(8)) / np.float32(2**24) - 0.5).astype(np.float32).reshape(shape)


x = 2 * uniform(SEED, SAMPLES, INPUTS)
y = (x @ uniform(SEED + 3, OUTPUTS, INPUTS).T) * (x @ uniform(SEED + 4, OUTPUTS, INPUTS).T)
w1, b1 = uniform(SEED + 1, HIDDEN, INPUTS) / 2, np.zeros(HIDDEN, np.float32)
w2, b2 = uniform(SEED + 2, OUTPUTS, HIDDEN) / 4, np.zeros(OUTPUTS, np.float32)
weights = [w1, b1, w2, b2]
gradients = [np.zeros_like(w) for w in weights]


def backward():
    h = np.tanh(x @ w1.T + b1)
    error = h @ w2.T + b2 - y
    back = error @ w2 * (1 - h * h)
    for g, of in zip(gradients, (back.T @ x, back.sum(0), error.T @ h, error.sum(0))):
        g[...] = of / SAMPLES  # in place: the optimizer keeps the address
    return (error * error).sum() / (2 * SAMPLES)


call(lib.fanion_optimizer_create, b"spectral()", b"adamw", None, ctypes.byref(opt))
for name, w, g in zip((b"w1", b"b1", b"w2", b"b2"), weights, gradients):
    add(name, w, g, 0 if w.ndim == 2 else 4)
for step in range(STEPS):
    backward()
    call(lib.fanion_optimizer_step, opt, ctypes.c_double(RATE * (1 - step / STEPS)))
print(f"loss after {STEPS} steps: {backward():.9g}")
lib.fanion_optimizer_destroy(opt)
