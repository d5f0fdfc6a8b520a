"""Designs: levels and values, equal conditions, the canonical form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorytk.experiments import Design, grid
from theorytk.experiments.design import canonical, parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)
CONDITIONS = st.dictionaries(st.text(min_size=1), VALUES, max_size=4)


def test_lists_ranges_and_arrays_are_levels_and_the_last_factor_varies_fastest():
    design = grid(a=[1, 2], b=range(2), c=np.array([0.5]))
    assert list(design) == [
        {"a": 1, "b": 0, "c": 0.5},
        {"a": 1, "b": 1, "c": 0.5},
        {"a": 2, "b": 0, "c": 0.5},
        {"a": 2, "b": 1, "c": 0.5},
    ]


def test_tuples_and_strings_are_values():
    assert list(grid(shape=(3, 4), name="ab")) == [{"shape": (3, 4), "name": "ab"}]


def test_no_factor_is_one_condition():
    assert list(grid()) == [{}]


def test_equal_numbers_are_the_same_condition_but_true_is_not_one():
    assert len(Design([{"a": 1}, {"a": 1.0}, {"a": np.int64(1)}, {"a": np.float64(1)}])) == 1
    assert len(Design([{"a": 1}, {"a": True}])) == 2
    assert canonical(next(iter(grid(a=-0.0)))) == '{"a":0}'


def test_integral_floats_become_ints_where_floats_are_exact():
    (condition,) = grid(small=2.0, large=2.0**60)
    assert type(condition["small"]) is int
    assert type(condition["large"]) is float


def test_override_replaces_levels_and_adds_factors():
    design = grid(a=[1, 2], b=[3, 4]).override(a=7, c=[8, 9])
    assert [tuple(sorted(c.items())) for c in design] == [
        (("a", 7), ("b", 3), ("c", 8)),
        (("a", 7), ("b", 3), ("c", 9)),
        (("a", 7), ("b", 4), ("c", 8)),
        (("a", 7), ("b", 4), ("c", 9)),
    ]


def test_conditions_cannot_be_changed_from_outside():
    design = grid(a=1)
    next(iter(design))["a"] = 2
    assert list(design) == [{"a": 1}]


@given(CONDITIONS)
def test_canonical_form_reads_back_equal(condition):
    (plain,) = Design([condition])
    (key,) = Design([condition]).keys()
    assert parse(key) == plain == condition
    assert list(json.loads(key)) == sorted(condition)
    assert Design([parse(key)]).keys() == [key]


@given(CONDITIONS)
def test_canonical_form_ignores_the_order_of_factors(condition):
    backwards = dict(reversed(condition.items()))
    assert Design([condition]).keys() == Design([backwards]).keys()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j, object(), {"k": 1}, b"x"])
def test_what_is_no_plain_value_is_refused_by_name(value):
    with pytest.raises(TypeError, match="factor 'alpha' must hold finite numbers"):
        Design([{"alpha": value}])


def test_a_factor_without_levels_is_refused():
    with pytest.raises(ValueError, match="factor 'alpha' has no levels"):
        grid(alpha=[])
