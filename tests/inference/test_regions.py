import dataclasses
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorytk.inference import AtLeast, AtMost, Between, Region

# Whole numbers, so that the arithmetic of bounds and margins is exact.
WHOLE = st.integers(-20, 20).map(float)
MARGIN = st.integers(0, 8).map(float)
INTERVAL = st.tuples(WHOLE, WHOLE).map(lambda ends: (min(ends), max(ends)))
REGION = st.one_of(
    st.builds(AtMost, WHOLE, MARGIN),
    st.builds(AtLeast, WHOLE, MARGIN),
    st.builds(lambda ends, m: Between(*ends, m), INTERVAL, MARGIN),
)
exactly = settings(derandomize=True, max_examples=300)


def members(interval):
    """Every half step of the interval: all that whole bounds can tell apart."""
    lo, hi = interval
    return [lo + i / 2 for i in range(int(2 * (hi - lo)) + 1)]


@exactly
@given(REGION, INTERVAL)
def test_beyond_means_that_no_member_is_inside(region, interval):
    assert region.beyond(interval) == all(region.distance(x) > 0 for x in members(interval))


@exactly
@given(REGION, INTERVAL)
def test_holds_means_that_every_member_is_within_the_margin(region, interval):
    assert region.holds(interval) == all(
        region.distance(x) <= region.margin for x in members(interval)
    )


@exactly
@given(REGION, INTERVAL)
def test_without_a_margin_beyond_and_holds_exclude_each_other(region, interval):
    strict = dataclasses.replace(Region(region.lo, region.hi), margin=0.0)
    assert not (strict.beyond(interval) and strict.holds(interval))


@exactly
@given(WHOLE, MARGIN, INTERVAL, WHOLE)
def test_at_most_and_at_least_mirror_each_other(bound, margin, interval, value):
    most, least = AtMost(bound, margin), AtLeast(-bound, margin)
    mirrored = (-interval[1], -interval[0])
    assert most.beyond(interval) == least.beyond(mirrored)
    assert most.holds(interval) == least.holds(mirrored)
    assert most.distance(value) == least.distance(-value)
    assert most.nearest_bound(value) == -least.nearest_bound(-value)


@exactly
@given(REGION, WHOLE)
def test_distance_leads_to_the_nearest_bound(region, value):
    distance = region.distance(value)
    bounds = [b for b in (region.lo, region.hi) if math.isfinite(b)]
    assert distance == (
        0 if region.lo <= value <= region.hi else min(abs(value - b) for b in bounds)
    )
    nearest = region.nearest_bound(value)
    assert nearest in bounds
    assert abs(value - nearest) == min(abs(value - b) for b in bounds)


def test_touching_a_bound_is_not_beyond_it():
    assert not AtMost(1).beyond((1, 2))
    assert AtMost(1).beyond((math.nextafter(1, 2), 2))
    assert not Between(0, 1).beyond((-math.inf, math.inf))
    assert AtMost(0).holds((-math.inf, 0))


@pytest.mark.parametrize(
    ("region", "kind", "lo", "hi", "shown"),
    [
        (AtMost(1), "at most", -math.inf, 1, "AtMost(1)"),
        (AtLeast(1, margin=0.5), "at least", 1, math.inf, "AtLeast(1, margin=0.5)"),
        (Between(1, 2, margin=0.5), "between", 1, 2, "Between(1, 2, margin=0.5)"),
    ],
)
def test_what_a_region_shows(region, kind, lo, hi, shown):
    assert (region.kind, region.lo, region.hi, repr(region)) == (kind, lo, hi, shown)
    assert pickle.loads(pickle.dumps(region)) == region
    assert hash(region) == hash(pickle.loads(pickle.dumps(region)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        region.margin = 1.0


def test_bad_regions_are_refused():
    for call, message in [
        (lambda: AtMost(math.nan), "bound"),
        (lambda: AtLeast(math.inf), "bound"),
        (lambda: AtMost(1, margin=-1), "margin"),
        (lambda: Between(2, 1), "hi must be"),
        (lambda: Between(-math.inf, 1), "lo must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="bound"):
        AtMost("1")
