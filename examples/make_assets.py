# SPDX-License-Identifier: Apache-2.0
"""Draws landscape.png and writes edges.safetensors, the demo's input.

Both are committed; this is only needed to make them anew:

    python3 -m venv venv && venv/bin/pip install numpy pillow safetensors && venv/bin/python make_assets.py
"""

from pathlib import Path

import numpy
from PIL import Image
from safetensors.numpy import save_file

HERE = Path(__file__).parent
HEIGHT, WIDTH = 240, 320
HORIZON = 138
SUN = (118.0, 126.0)  # column, row


def fade(edge0, edge1, value):
    t = numpy.clip((value - edge0) / (edge1 - edge0), 0, 1)
    return t * t * (3 - 2 * t)


def blend(image, colour, mask):
    """Lays a colour over the image where the mask [H, W] is 1."""
    return image + (numpy.asarray(colour) - image) * mask[..., None]


def smooth_noise(random, height, width, cells_y, cells_x):
    """Random values on a coarse grid, interpolated smoothly."""
    grid = random.random((cells_y + 2, cells_x + 2))
    y = numpy.linspace(0, cells_y, height, endpoint=False)
    x = numpy.linspace(0, cells_x, width, endpoint=False)
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = fade(0, 1, y - iy)[:, None], fade(0, 1, x - ix)[None, :]
    top = grid[numpy.ix_(iy, ix)] * (1 - fx) + grid[numpy.ix_(iy, ix + 1)] * fx
    bottom = grid[numpy.ix_(iy + 1, ix)] * (1 - fx) + grid[numpy.ix_(iy + 1, ix + 1)] * fx
    return top * (1 - fy) + bottom * fy


def clouds(random, height, width):
    octaves = [smooth_noise(random, height, width, 5 * 2**i, 2 * 2**i) / 2**i for i in range(5)]
    return sum(octaves) / sum(1 / 2**i for i in range(5))


def sky(random, rows, columns):
    height = numpy.clip(1 - rows / HORIZON, 0, 1)[..., None]
    image = numpy.array([0.98, 0.62, 0.36]) * (1 - height) ** 1.6 + numpy.array([0.16, 0.20, 0.42]) * height**0.7
    distance = numpy.hypot(columns - SUN[0], (rows - SUN[1]) * 1.3)
    image = image + numpy.array([0.55, 0.36, 0.16]) * numpy.exp(-distance / 38)[..., None]
    image = blend(image, [1.0, 0.93, 0.74], fade(11, 9, distance))
    cloud = fade(0.50, 0.72, clouds(random, HEIGHT, WIDTH)) * fade(HORIZON, HORIZON - 40, rows)
    lit = numpy.exp(-distance / 90)[..., None]
    tint = numpy.array([0.36, 0.30, 0.42]) * (1 - lit) + numpy.array([0.98, 0.66, 0.46]) * lit
    return image + (tint - image) * (0.75 * cloud)[..., None]


def hills(random, image, rows, columns):
    layers = [(HORIZON - 26, 16, 3, [0.52, 0.40, 0.46]), (HORIZON - 12, 14, 5, [0.31, 0.25, 0.34])]
    for base, relief, cells, colour in layers:
        ridge = base + relief * (0.5 - smooth_noise(random, 1, WIDTH, 1, cells)[0])
        ridge = ridge - 3 * smooth_noise(random, 1, WIDTH, 1, 10 * cells)[0] - 12 * fade(190, 320, numpy.arange(WIDTH))
        image = blend(image, colour, fade(-0.7, 0.7, rows - ridge[None, :]) * (rows < HORIZON))
    return image


def town(random, image, rows, columns):
    """Houses on the far shore, some windows lit."""
    for left in range(196, 316, 9):
        width, height = random.integers(6, 10), random.integers(6, 16)
        inside = (columns >= left) & (columns < left + width) & (rows >= HORIZON - height) & (rows < HORIZON)
        image = blend(image, [0.17, 0.14, 0.20], inside.astype(float))
        for row in range(HORIZON - height + 2, HORIZON - 2, 4):
            if random.random() < 0.6:
                window = (numpy.abs(columns - left - width // 2) < 1.5) & (numpy.abs(rows - row) < 1)
                image = blend(image, [1.0, 0.80, 0.42], window * 0.9)
    return image


def water(random, image, rows, columns):
    """The upper half mirrored, shaken by ripples that grow towards the viewer."""
    depth = numpy.clip(rows - HORIZON, 0, None)
    ripple = numpy.sin(depth * 1.9 + 7 * smooth_noise(random, HEIGHT, WIDTH, 60, 12)) * (0.4 + depth * 0.05)
    source_row = numpy.clip(2 * HORIZON - rows + ripple * 2.2, 0, HORIZON - 1).astype(int)
    source_column = numpy.clip(columns + ripple * 1.5, 0, WIDTH - 1).astype(int)
    mirrored = image[source_row, source_column] * numpy.array([0.70, 0.74, 0.82]) * 0.88
    glitter = fade(0.62, 0.9, smooth_noise(random, HEIGHT, WIDTH, 110, 40)) * numpy.exp(
        -numpy.abs(columns - SUN[0]) / (10 + depth * 0.35)
    )
    mirrored = mirrored + numpy.array([0.8, 0.5, 0.22]) * glitter[..., None]
    return numpy.where((rows >= HORIZON)[..., None], mirrored, image)


def boat(image, rows, columns, x, y, size):
    hull = (rows > y - 4 * size) & (rows < y) & (numpy.abs(columns - x) < 13 * size - (rows - y + 4 * size) * 1.1)
    image = blend(image, [0.10, 0.09, 0.13], hull.astype(float))
    image = blend(image, [0.62, 0.20, 0.15], (hull & (rows > y - 1.6 * size)).astype(float))
    mast = (numpy.abs(columns - x + size) < 0.7) & (rows < y - 3 * size) & (rows > y - 34 * size)
    image = blend(image, [0.12, 0.10, 0.12], mast.astype(float))
    rise = (y - 6 * size - rows) / (26 * size)
    sail = (rise > 0) & (rise < 1) & (columns > x) & (columns < x + 12 * size * (1 - rise))
    image = blend(image, [0.93, 0.80, 0.68], sail * 0.92)
    shade = (rows > y) & (rows < y + 22 * size) & (numpy.abs(columns - x - 2 * numpy.sin(rows)) < 6 * size)
    return blend(image, [0.16, 0.13, 0.17], shade * 0.45 * (rows % 3 > 0))


def pier(image, rows, columns):
    deck = (rows > 196 + (columns - 200) * 0.06) & (rows < 202 + (columns - 200) * 0.08) & (columns > 214)
    image = blend(image, [0.13, 0.10, 0.11], deck.astype(float))
    for x in range(220, 320, 14):
        post = (numpy.abs(columns - x) < 1.8) & (rows > 197) & (rows < 224 + (x - 220) * 0.12)
        image = blend(image, [0.09, 0.07, 0.08], post.astype(float))
    for x in (236, 292):
        pole = (numpy.abs(columns - x) < 0.8) & (rows > 166) & (rows < 200)
        image = blend(image, [0.09, 0.07, 0.08], pole.astype(float))
        glow = numpy.exp(-(((columns - x) ** 2 + (rows - 165) ** 2) / 60))
        image = image + numpy.array([0.95, 0.72, 0.36]) * glow[..., None]
    return image


def draw():
    random = numpy.random.default_rng(21)
    rows, columns = numpy.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    image = sky(random, rows, columns)
    image = hills(random, image, rows, columns)
    image = town(random, image, rows, columns)
    image = water(random, image, rows, columns)
    image = boat(image, rows, columns, 62, 172, 1.0)
    image = boat(image, rows, columns, 158, 158, 0.6)
    image = pier(image, rows, columns)
    corner = numpy.hypot((columns - WIDTH / 2) / WIDTH, (rows - HEIGHT / 2) / HEIGHT)
    image = image * (1 - 0.45 * corner**2)[..., None]
    image = image + random.normal(0, 0.010, image.shape)  # the grain of a sensor at dusk
    return (numpy.clip(image, 0, 1) * 255 + 0.5).astype(numpy.uint8)


# ---- Parameters ---------------------------------------------------------------------------------------------------

LUMINANCE = [0.30, 0.59, 0.11]
RED_GREEN = [1.0, -1.0, 0.0]
BLUE_YELLOW = [-0.5, -0.5, 1.0]
RED, GREEN, BLUE = [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]

SOBEL_X = numpy.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
SOBEL_Y = SOBEL_X.T
DIAGONAL = numpy.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]) / 4
LAPLACE = numpy.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]) / 2
BLUR = numpy.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
RIDGE_X = numpy.array([[-1, 2, -1], [-2, 4, -2], [-1, 2, -1]]) / 4
CORNER = numpy.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 4

# One row a channel, four channels a group: the filter, the colour it looks at, how steep the sigmoid is.
CHANNELS = [
    (SOBEL_X, LUMINANCE, 9.0),
    (SOBEL_Y, LUMINANCE, 9.0),
    (DIAGONAL, LUMINANCE, 9.0),
    (DIAGONAL[::-1], LUMINANCE, 9.0),
    (BLUR, RED_GREEN, 6.0),
    (BLUR, BLUE_YELLOW, 6.0),
    (SOBEL_X, RED_GREEN, 14.0),
    (SOBEL_Y, BLUE_YELLOW, 14.0),
    (BLUR, LUMINANCE, 5.0),
    (BLUR, RED, 5.0),
    (BLUR, GREEN, 5.0),
    (BLUR, BLUE, 5.0),
    (LAPLACE, LUMINANCE, 10.0),
    (RIDGE_X, LUMINANCE, 8.0),
    (RIDGE_X.T, LUMINANCE, 8.0),
    (CORNER, LUMINANCE, 12.0),
]


def parameters():
    weight = numpy.stack([numpy.asarray(colour)[:, None, None] * taps for taps, colour, _ in CHANNELS])
    # A blur of something that is never negative is centred; the others are already.
    offset = numpy.array([-0.4 * max(0.0, weights.sum()) for weights in weight])
    steepness = numpy.array([steep for _, _, steep in CHANNELS])
    count = len(CHANNELS)
    tensors = {
        "conv.weight": weight,
        "conv.bias": offset,
        "bias": numpy.linspace(-0.02, 0.02, count).reshape(count, 1, 1),
        "scale": steepness.reshape(count, 1, 1),
        "group_norm.weight": numpy.linspace(0.9, 1.1, count),
        "group_norm.bias": numpy.linspace(-0.1, 0.1, count),
    }
    return {name: numpy.ascontiguousarray(tensor, dtype=numpy.float32) for name, tensor in tensors.items()}


def main():
    Image.fromarray(draw()).save(HERE / "landscape.png", optimize=True)
    save_file(parameters(), HERE / "edges.safetensors")


if __name__ == "__main__":
    main()
