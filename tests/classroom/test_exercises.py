"""Exercises are found by path and know what their folder says."""

import numpy as np
import pytest

from theorytk.classroom import exercises, find
from theorytk.classroom.marking import generator


def test_found_by_path(school):
    [exercise] = exercises(school)
    assert (exercise.id, exercise.name, exercise.title) == (
        "arithmetic-basics/sums",
        "sums",
        "Sums",
    )
    assert (exercise.paper, exercise.points) == ("nobody", 5)
    assert [c.name for c in exercise.checks] == ["sums", "doubles"]
    assert exercise.checks[0].about == "Sums of random numbers."
    assert exercise.checks[0].hint == "Use the sign on the key between - and return."


def test_unknown_id_names_the_nearest(school):
    with pytest.raises(ValueError, match="did you mean 'arithmetic-basics/sums'"):
        find("arithmetic-basics/sum", school)


def test_streams_differ_by_seed_and_check_and_repeat():
    draws = {(seed, name): generator(seed, name).random() for seed in (0, 1) for name in ("a", "b")}
    assert len(set(draws.values())) == 4
    assert np.array_equal(generator(1, "a").random(), draws[1, "a"])
