import numpy as np
import pytest

from theorytk.inference import (
    AtLeast,
    AtMost,
    Between,
    Verdict,
    exact_estimate,
    judge,
    mean_estimate,
    proportion_estimate,
    violations_estimate,
)


def normal_mean(value, half_width, n=20):
    """An estimate whose interval at level 0.05 is ``value +- half_width``."""
    spread = np.linspace(-1, 1, n)
    scale = half_width / mean_estimate(spread).interval(0.05)[1]
    return mean_estimate(value + scale * spread)


@pytest.mark.parametrize(
    ("value", "region", "verdict"),
    [
        (0.0, AtMost(2), "supported"),
        (1.5, AtMost(2), "undecided"),
        (1.5, AtMost(2, margin=1), "supported"),
        (3.5, AtMost(2), "contradicted"),
        (3.5, AtMost(2, margin=9), "contradicted"),
        (3.5, AtLeast(2), "supported"),
        (0.0, AtLeast(2), "contradicted"),
        (2.5, AtLeast(2, margin=1), "supported"),
        (0.0, Between(-2, 2), "supported"),
        (-1.5, Between(-2, 2), "undecided"),
        (-3.5, Between(-2, 2), "contradicted"),
        (0.0, Between(0, 0), "undecided"),
        (0.0, Between(0, 0, margin=2), "supported"),
    ],
)
def test_one_estimate_of_half_width_one(value, region, verdict):
    found = judge(normal_mean(value, 1.0), region, level=0.05)
    assert found.verdict == verdict
    assert found.verdict is Verdict(verdict)
    assert found.interval == pytest.approx((value - 1, value + 1))
    assert len(found.points) == 1
    assert found.label == ""


def test_a_grid_needs_every_point_and_divides_the_level():
    barely = normal_mean(3.01, 1.0)
    inside, wide = normal_mean(0.0, 1.0), normal_mean(0.0, 5.0)
    region = AtMost(2)
    alone = judge(barely, region, level=0.05)
    grid = judge({"barely": barely, "inside": inside}, region, level=0.05)
    assert (alone.verdict, grid.verdict) == ("contradicted", "undecided")
    assert [p.verdict for p in grid.points] == ["undecided", "supported"]
    assert judge({"barely": barely}, region, level=0.05).verdict == "contradicted"
    # Support is judged at the level itself: at half of it this interval would reach out.
    close = normal_mean(0.99, 1.0)
    assert close.interval(0.025)[1] > 2
    assert judge({"a": close, "b": inside}, region, level=0.05).verdict == "supported"
    # The point which decides is the worst, however far another interval reaches.
    far = judge({"w": wide, "c": normal_mean(4.0, 0.1), "i": inside}, region, level=0.05)
    assert (far.verdict, far.label) == ("contradicted", "c")
    both = judge({"i": inside, "w": wide, "b": normal_mean(1.5, 1)}, region, level=0.05)
    assert (both.verdict, both.label) == ("undecided", "w")
    assert both.estimate is wide


def test_the_level_of_a_grid_is_the_level_over_its_points():
    level, points = 0.05, 8
    lower = normal_mean(0.0, 1.0).interval(level / points)[0]
    grid = {str(i): normal_mean(0.0, 1.0) for i in range(points)}
    assert judge(grid, AtMost(lower - 1e-9), level=level).verdict == "contradicted"
    assert judge(grid, AtMost(lower + 1e-9), level=level).verdict == "undecided"


@pytest.mark.parametrize(
    ("value", "region", "slack"),
    [
        (1.5, AtMost(2), 0.75),
        (3.0, AtLeast(2), 1.5),
        (-1.9, Between(-2, -1), 0.95),
        (-1.1, Between(-2, -1), 1.1),
        (0.25, AtMost(0), -0.25),
        (0.25, AtLeast(0), 0.25),
        (0.25, Between(0, 1), 0.25),
        (-0.25, Between(0, 1), -0.25),
    ],
)
def test_slack_is_a_ratio_or_the_room_before_zero(value, region, slack):
    assert judge(exact_estimate(value), region, kind="identity").slack == pytest.approx(slack)


def test_an_identity_is_kept_or_broken():
    kept = judge(exact_estimate(1e-15), AtMost(1e-12), kind="identity")
    assert (kept.verdict, kept.resolution) == ("supported", 1e-12)
    broken = judge(exact_estimate(1e-9), AtMost(1e-12), kind="identity")
    assert broken.verdict == "contradicted"
    ratio = judge(exact_estimate(1.0), Between(0.99, 1.01), kind="identity")
    assert ratio.resolution == pytest.approx(0.01)
    assert judge(exact_estimate(1.0), AtLeast(0.9), kind="identity").resolution is None


def test_sampling_refutes_but_never_proves():
    none = judge(violations_estimate(0, 500), AtMost(0), kind="refutable")
    assert none.verdict == "not_refuted"
    assert (1 - none.resolution) ** 500 == pytest.approx(0.01)
    one = judge(violations_estimate(1, 10**6), AtMost(0), kind="refutable")
    assert one.verdict == "contradicted"
    worst = judge(exact_estimate(1.01, n=500), AtLeast(1), kind="refutable")
    assert worst.verdict == "not_refuted"
    assert worst.slack == pytest.approx(1.01)
    assert worst.resolution == pytest.approx(none.resolution)
    assert judge(exact_estimate(0.99), AtLeast(1), kind="refutable").verdict == "contradicted"
    grid = {"a": violations_estimate(0, 9), "b": violations_estimate(2, 9)}
    assert judge(grid, AtMost(0), kind="refutable").label == "b"


def test_what_does_not_fit_is_refused():
    mean = normal_mean(0.0, 1.0)
    for call, message in [
        (lambda: judge({}, AtMost(0)), "at least one"),
        (lambda: judge(mean, AtMost(0), kind="statistic"), "did you mean 'statistical'"),
        (lambda: judge(mean, AtMost(0), level=0), "level"),
        (lambda: judge(exact_estimate(1.0), AtMost(0)), "statistical"),
        (lambda: judge(mean, AtMost(0), kind="identity"), "identity"),
        (lambda: judge({"here": mean}, AtMost(0), kind="refutable"), "'here'.*refutable"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="region"):
        judge(mean, (0, 1))
    with pytest.raises(TypeError, match="mapping"):
        judge([mean, mean], AtMost(0))
    with pytest.raises(TypeError, match="Estimate"):
        judge({"a": 1.0}, AtMost(0))


def test_a_proportion_can_be_refutable():
    assert judge(proportion_estimate(0, 9), AtMost(0), kind="refutable").verdict == "not_refuted"


def test_verdicts_are_their_strings():
    assert [str(v) for v in Verdict] == [
        "supported", "not_refuted", "contradicted", "undecided", "deferred", "skipped",
    ]  # fmt: skip
