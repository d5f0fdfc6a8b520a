"""Images of simple shapes, of which none has two of a kind, and how shapes are counted.

The image has three columns: a triangle may be in the first, a square in the second, a pentagon in
the third.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import ndimage

from theorytk._validation import as_generator, check_array, check_int, check_real

__all__ = [
    "count_shapes",
    "has_repeated_shape",
    "images_of_rows",
    "rows_of_images",
    "sample_shapes",
]

Array = np.ndarray

SIZE, COLUMN, HEIGHT = 64, 21, 63
# Pixels nearer to a polygon than this belong to it: its outline is drawn.
OUTLINE = 0.4
# Corners (x, y) relative to the anchor, which is uniform on x0, ..., x1 and y0, ..., y1.
_TURNS = 2 * math.pi * np.arange(5) / 5
POLYGONS = (
    np.array([(0.0, 11 * math.sqrt(3) / 2), (11.0, 11 * math.sqrt(3) / 2), (5.5, 0.0)]),
    np.array([(0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (0.0, 7.0)]),
    5 * np.stack([np.sin(_TURNS), -np.cos(_TURNS)], axis=1),
)
ANCHORS = (((0, 10), (0, 52)), ((1, 7), (1, 49)), ((5, 16), (5, 58)))


def sample_shapes(n: int, rng: int | np.random.Generator | None = None) -> Array:
    """Return random images of one, two or three shapes.

    Each shape is there with probability 1/2, independently, given that one is.

    Parameters
    ----------
    n : int
        Number of images, >= 1.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray of uint8, shape (n, 64, 64)
        White (255) on black (0); the last row and the last column are black.

    References
    ----------
    Aithal et al. (2024), Simple Shapes, sizes and positions of the released generator. The polygons
    are drawn here pixel by pixel: squares have 64 pixels, triangles 62 (fewer where the column cuts
    them) and pentagons 72.

    Examples
    --------
    >>> images = sample_shapes(3, rng=0)
    >>> images.shape, bool(has_repeated_shape(images).any())
    ((3, 64, 64), False)
    """
    n, rng = check_int("n", n, lower=1), as_generator(rng)
    present = 1 + rng.integers(7, size=n)
    images = np.zeros((n, SIZE, SIZE), dtype=np.uint8)
    for k, (stencil, (across, down)) in enumerate(zip(STENCILS, ANCHORS, strict=True)):
        x, y = (rng.integers(low, high, size=n, endpoint=True) for low, high in (across, down))
        for i in np.flatnonzero(present >> k & 1):
            rows, columns = y[i] + stencil[0], x[i] + stencil[1]
            inside = columns < COLUMN
            images[i, rows[inside], k * COLUMN + columns[inside]] = 255
    return images


def count_shapes(images: Any, *, threshold: float = 127.0, min_area: int = 25) -> Array:
    """Return how many shapes there are in each column of some images.

    A shape is a connected set (diagonals connect) of more than `min_area` pixels above `threshold`.

    Parameters
    ----------
    images : array_like, shape (n, 64, 64)
        Images, in grey levels from 0 to 255.
    threshold : float
        Grey level.
    min_area : int
        Pixels, >= 0.

    Returns
    -------
    ndarray of int, shape (n, 3)

    References
    ----------
    The rule is ours: that of Aithal et al. (2024) is not in the released code.

    Examples
    --------
    >>> images = np.zeros((1, 64, 64))
    >>> images[0, 3:11, 3:11] = images[0, 30:38, 3:11] = 255
    >>> count_shapes(images)
    array([[2, 0, 0]])
    """
    images = check_array("images", images, shape=(None, SIZE, SIZE))
    threshold = check_real("threshold", threshold)
    min_area = check_int("min_area", min_area, lower=0)
    columns = images[:, :, : 3 * COLUMN].reshape(-1, SIZE, 3, COLUMN).swapaxes(1, 2)
    white = columns.reshape(-1, SIZE, COLUMN) > threshold
    touching = np.zeros((3, 3, 3), dtype=bool)  # pixels of one column of one image only
    touching[1] = True
    labels, n_labels = ndimage.label(white, touching)
    pixels = np.flatnonzero(labels)
    found = labels.ravel()[pixels]
    owners = np.empty(n_labels + 1, dtype=np.intp)
    owners[found] = pixels // (SIZE * COLUMN)
    owners = owners[np.bincount(found, minlength=n_labels + 1) > min_area]
    return np.bincount(owners, minlength=len(white)).reshape(-1, 3)


def has_repeated_shape(images: Any, *, threshold: float = 127.0, min_area: int = 25) -> Array:
    """Return whether a shape occurs twice, which it never does in the data: a hallucination.

    Parameters
    ----------
    images, threshold, min_area
        As in :func:`count_shapes`.

    Returns
    -------
    ndarray of bool, shape (n,)

    References
    ----------
    Aithal et al. (2024), Simple Shapes.

    Examples
    --------
    >>> has_repeated_shape(sample_shapes(2, rng=0))
    array([False, False])
    """
    counts = count_shapes(images, threshold=threshold, min_area=min_area)
    return np.asarray((counts > 1).any(axis=1))


def rows_of_images(images: Any) -> Array:
    """Return images as the data of a diffusion model.

    Parameters
    ----------
    images : array_like, shape (n, 64, 64)
        Images, in grey levels from 0 to 255.

    Returns
    -------
    ndarray, shape (n, 4096)
        One row for each image, from -1 (black) to 1 (white).

    Examples
    --------
    >>> rows = rows_of_images(sample_shapes(2, rng=0))
    >>> rows.shape, float(rows.min()), float(rows.max())
    ((2, 4096), -1.0, 1.0)
    """
    images = check_array("images", images, shape=(None, SIZE, SIZE))
    return np.asarray(images.reshape(len(images), SIZE**2) / 127.5 - 1)


def images_of_rows(rows: Any) -> Array:
    """Return what a diffusion model made as images.

    Parameters
    ----------
    rows : array_like, shape (n, 4096)
        One row for each image, from -1 (black) to 1 (white); the rest is cut off.

    Returns
    -------
    ndarray of uint8, shape (n, 64, 64)

    Examples
    --------
    >>> images = sample_shapes(2, rng=0)
    >>> bool((images_of_rows(rows_of_images(images)) == images).all())
    True
    """
    rows = check_array("rows", rows, shape=(None, SIZE**2))
    levels = np.rint(127.5 * (np.clip(rows, -1.0, 1.0) + 1)).astype(np.uint8)
    return np.asarray(levels.reshape(-1, SIZE, SIZE))


def _stencil(corners: Array) -> tuple[Array, Array]:
    """Return rows and columns of a convex polygon's pixels, relative to its anchor."""
    middle = corners.mean(axis=0)
    low, high = np.floor(corners.min(axis=0) - 1), np.ceil(corners.max(axis=0) + 1)
    x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    inside = np.ones(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        normal = np.array([by - ay, ax - bx]) / math.hypot(bx - ax, by - ay)
        if normal @ (middle - (ax, ay)) > 0:
            normal = -normal
        inside &= normal[0] * (x - ax) + normal[1] * (y - ay) <= OUTLINE
    return y[inside].astype(int), x[inside].astype(int)


STENCILS = tuple(_stencil(corners) for corners in POLYGONS)
