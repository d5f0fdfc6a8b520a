"""Comparisons accept what is right and say what is wrong, never what would be right."""

import re

import numpy as np
import pytest

from theorytk.classroom import Wrong, array, between, close, number, quick, refuses, same, true

RIGHT = np.array([1.25, -3.0])


@pytest.mark.parametrize("value", [RIGHT, list(RIGHT), RIGHT * (1 + 1e-9), tuple(RIGHT)])
def test_close_accepts(value):
    close(value, RIGHT, "f(x)", rtol=1e-8)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "f(x) returned nothing"),
        ("abc", "f(x) returned 'abc', which is not numeric"),
        ([1.25], "f(x) has shape (1,); shape (2,) is asked for"),
        ([1.25, np.nan], "f(x) is not finite"),
        ([1.25, -3.0 - 6e-8], "f(x) is off by 2 times the tolerance at index (1,) for x = 1"),
        ([0.0, -3.0], "f(x) is off by far more than allowed at index (0,) for x = 1: it is 0"),
    ],
)
def test_close_says_what_is_wrong(value, said):
    with pytest.raises(Wrong, match=re.escape(said)) as raised:
        close(value, RIGHT, "f(x)", rtol=1e-8, given="x = 1")
    assert "1.25" not in str(raised.value).replace("[1.25", "")


def test_close_with_an_absolute_tolerance_only():
    close(1e-9, 0.0, "f", atol=1e-8)
    with pytest.raises(Wrong, match="off by 2 times"):
        close(2e-8, 0.0, "f", atol=1e-8)


def test_number_and_array():
    assert number(np.float32(2), "f") == 2.0
    assert array([[1, 2]], "f", shape=(None, 2)).dtype == float
    with pytest.raises(Wrong, match="a number is asked for"):
        number([1, 2], "f")
    with pytest.raises(Wrong, match=r"shape \(any, 3\) is asked for"):
        array([[1, 2]], "f", shape=(None, 3))


@pytest.mark.parametrize("value", [[1, 2], np.array([1.0, 2.0]), (1, 2)])
def test_same_accepts(value):
    same(value, [1, 2], "f")


@pytest.mark.parametrize("value", [[2, 1], [1], "ab", None, [[1], [2, 3]]])
def test_same_refuses(value):
    with pytest.raises(Wrong, match=r"^f "):
        same(value, [1, 2], "f")


def test_between_names_the_side():
    between(0.5, 0.5, 1, "f")
    with pytest.raises(Wrong, match=r"f is too small for n = 3: it is 0.4$"):
        between(0.4, 0.5, 1, "f", given="n = 3")
    with pytest.raises(Wrong, match="too large"):
        between(2, 0.5, 1, "f")


def test_true():
    true(np.True_, "no")
    with pytest.raises(Wrong, match=r"^no$"):
        true(0, "no")


def test_refuses():
    refuses(lambda: int("x"), "f")
    refuses(lambda: [][1], "f", IndexError, KeyError)
    with pytest.raises(Wrong, match="f must raise ValueError"):
        refuses(lambda: 1, "f")
    with pytest.raises(IndexError):  # an error of another kind is a student's own
        refuses(lambda: [][1], "f")


def test_quick():
    assert quick(lambda: 7, 5.0, "f") == 7
    with pytest.raises(Wrong, match=r"f took .* 1e-06 s are allowed"):
        quick(lambda: sum(range(10**6)), 1e-6, "f")
