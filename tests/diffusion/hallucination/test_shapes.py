"""Simple shapes: what is drawn and what is counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.diffusion.hallucination.shapes import (
    COLUMN,
    count_shapes,
    has_repeated_shape,
    images_of_rows,
    rows_of_images,
    sample_shapes,
)


@pytest.fixture(scope="module")
def images():
    return sample_shapes(4000, 0)


def column(images, k):
    return images[:, :, k * COLUMN : (k + 1) * COLUMN]


def test_frequencies_and_counts(images):
    present = np.stack([column(images, k).any(axis=(1, 2)) for k in range(3)], axis=1)
    np.testing.assert_array_equal(count_shapes(images), present)
    assert not has_repeated_shape(images).any()
    numbers = np.bincount(present.sum(axis=1), minlength=4)
    assert numbers[0] == 0
    for count, p in [*zip(numbers[1:], (3 / 7, 3 / 7, 1 / 7), strict=True)] + [
        (c, 4 / 7) for c in present.sum(axis=0)
    ]:
        low, high = binom(4000, p).ppf([1e-7, 1 - 1e-7])
        assert low <= count <= high


def test_areas_ranges_and_margins(images):
    assert set(np.unique(images)) == {0, 255}
    assert not images[:, -1].any()
    assert not images[:, :, -1].any()
    polygon_areas = 11**2 * np.sqrt(3) / 4, 49.0, 2.5 * 25 * np.sin(2 * np.pi / 5)
    for k, (area, rows) in enumerate(zip(polygon_areas, (62, 56, 63), strict=True)):
        part = column(images, k) > 0
        areas = part.sum(axis=(1, 2))
        assert area < areas.max() < area + 20
        touched = np.flatnonzero(part.any(axis=(0, 2)))
        assert touched[0] <= 1
        assert touched[-1] <= rows
        assert touched[-1] >= rows - 2
    squares = column(images, 1).sum(axis=(1, 2), dtype=int) // 255
    assert set(np.unique(squares)) == {0, 64}


def count_by_search(part, min_area):
    """Count connected sets by following neighbours."""
    white = {(int(r), int(c)) for r, c in zip(*np.nonzero(part > 127), strict=True)}
    count = 0
    while white:
        stack, area = [white.pop()], 0
        while stack:
            r, c = stack.pop()
            area += 1
            for point in [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if point in white:
                    white.remove(point)
                    stack.append(point)
        count += area > min_area
    return count


def test_counts_of_random_blobs_are_those_of_a_search():
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.standard_normal((6, 64, 64)), axis=1)
    noise += np.cumsum(rng.standard_normal((6, 64, 64)), axis=2)
    images = 127 + 40 * (noise - np.median(noise))
    found = count_shapes(images, min_area=5)
    expected = [[count_by_search(column(images, k)[i], 5) for k in range(3)] for i in range(6)]
    np.testing.assert_array_equal(found, expected)
    assert found.max() > 1


def test_shapes_of_neighbouring_columns_and_images_are_not_joined():
    images = np.zeros((3, 64, 64))
    images[1:, 10:20, 10:32] = 255
    np.testing.assert_array_equal(count_shapes(images), [[0, 0, 0], [1, 1, 0], [1, 1, 0]])
    images[2, 40:50, 10:20] = 255
    np.testing.assert_array_equal(has_repeated_shape(images), [False, False, True])


def test_bad_arguments():
    with pytest.raises(ValueError, match="n must be"):
        sample_shapes(0)
    with pytest.raises(ValueError, match="images must have shape"):
        count_shapes(np.zeros((64, 64)))
    with pytest.raises(ValueError, match="min_area must be"):
        count_shapes(np.zeros((1, 64, 64)), min_area=-1)


def test_rows_of_images_and_back():
    images = sample_shapes(20, rng=3)
    rows = rows_of_images(images)
    assert rows.shape == (20, 4096)
    assert set(np.unique(rows)) == {-1.0, 1.0}
    assert rows[7, 64 * 30 + 12] == (1.0 if images[7, 30, 12] else -1.0)
    np.testing.assert_array_equal(images_of_rows(1.5 * rows), images)
    assert images_of_rows(np.zeros((1, 4096))).max() in (127, 128)
    with pytest.raises(ValueError, match=r"rows must have shape"):
        images_of_rows(np.zeros((1, 64)))
