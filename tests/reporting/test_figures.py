"""Figures: files, metadata and labels."""

from __future__ import annotations

import io
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from theorytk import registry
from theorytk.reporting import Figure, check_labels, figure, subplots, use_style


@pytest.fixture
def figures(monkeypatch):
    fresh = registry.Registry("figure")
    monkeypatch.setattr(registry, "figures", fresh)
    return fresh


def test_save_writes_three_files_that_say_where_they_come_from(rate, tables, tmp_path):
    paths = rate.save(tables, tmp_path, "preset quick, seed 11")
    folder = tmp_path / "matrix-sensing"
    assert paths == {ext: folder / f"rate.{ext}" for ext in ("pdf", "png", "csv")}
    assert sorted(p.name for p in folder.iterdir()) == ["rate.csv", "rate.pdf", "rate.png"]
    pd.testing.assert_frame_equal(pd.read_csv(paths["csv"]), tables["matrix-sensing/run"])
    with Image.open(paths["png"]) as image:
        assert image.text["Description"] == "preset quick, seed 11"
        assert image.text.keys() == {"Title", "Description"}
        assert image.width == round(3.4 * 220)
    pdf = paths["pdf"].read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"preset quick, seed 11" in pdf
    assert b"CreationDate" not in pdf


def test_the_palette_of_a_png_is_close_to_the_full_colours(rate, tables, tmp_path):
    def draw(tables):
        fig, rows = rate.draw(tables)
        fig.axes[0].pcolormesh(np.linspace(0, 1, 600).reshape(20, 30), cmap="viridis")
        return fig, rows

    full = io.BytesIO()
    with use_style():
        draw(tables)[0].savefig(full, format="png", backend="agg")
    path = replace(rate, draw=draw).save(tables, tmp_path, "x")["png"]
    with Image.open(path) as few, Image.open(full) as all_colours:
        assert few.mode == "P"
        assert few.info["dpi"] == pytest.approx((220, 220), abs=0.1)
        wanted, got = (np.asarray(image.convert("RGB"), int) for image in (all_colours, few))
    assert len(np.unique(wanted.reshape(-1, 3), axis=0)) > 256
    assert np.abs(wanted - got).max() <= 24
    assert path.stat().st_size < 0.6 * len(full.getvalue())


def test_same_tables_same_bytes(rate, tables, tmp_path):
    first, again = (rate.save(tables, tmp_path / name, "seed 11") for name in ("a", "b"))
    for ext in first:
        assert first[ext].read_bytes() == again[ext].read_bytes()


def test_a_failing_drawing_leaves_the_old_files_and_nothing_else(rate, tables, tmp_path):
    paths = rate.save(tables, tmp_path, "old")
    old = {p: p.read_bytes() for p in paths.values()}

    class Broken(pd.DataFrame):
        def to_csv(self, *_, **__):
            raise OSError("disk full")

    broken = replace(rate, draw=lambda t: (rate.draw(t)[0], Broken()))
    with pytest.raises(OSError, match="disk full"):
        broken.save(tables, tmp_path, "old")
    assert {p: p.read_bytes() for p in paths["csv"].parent.iterdir()} == old


def test_pyplot_figures_are_closed_even_if_drawing_fails(rate, tables, tmp_path):
    mine = plt.figure()

    def draw(tables, *, fail=False):
        fig, ax = plt.subplots()
        ax.plot([1, 2])
        if fail:
            raise RuntimeError("no")
        return fig, tables["matrix-sensing/run"]

    assert replace(rate, draw=draw).save(tables, tmp_path, "x")["png"].stat().st_size > 0
    with pytest.raises(RuntimeError, match="no"):
        replace(rate, draw=lambda t: draw(t, fail=True)).save(tables, tmp_path, "x")
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_draw_sees_only_the_tables_it_names(rate, tables, tmp_path):
    seen = {}
    spy = replace(rate, draw=lambda t: (seen.update(t), rate.draw(t))[1])
    spy.save({**tables, "matrix-sensing/other": pd.DataFrame()}, tmp_path, "x")
    assert list(seen) == ["matrix-sensing/run"]


def test_bad_input(rate, tables, tmp_path):
    with pytest.raises(ValueError, match="missing matrix-sensing/run"):
        rate.save({}, tmp_path, "x")
    with pytest.raises(TypeError, match=r"must return .* got tuple"):
        replace(rate, draw=lambda _: (subplots()[0], [1, 2])).save(tables, tmp_path, "x")
    with pytest.raises(TypeError, match="got NoneType"):
        replace(rate, draw=lambda _: None).save(tables, tmp_path, "x")
    for id in ("rate", "../rate", "Topic/rate", "a/b/c"):
        with pytest.raises(ValueError, match="id must be 'topic/name'"):
            replace(rate, id=id)
    with pytest.raises(ValueError, match="at least one; got none"):
        replace(rate, experiments=())


def test_decorator_registers_once(figures, rate):
    said = {"paper": "p", "experiments": ["a/b"], "title": "t", "caption": "c", "reproduces": "r"}
    made = figure("a/fig", **said)(rate.draw)
    assert made == Figure("a/fig", "p", ("a/b",), "t", "c", "r", rate.draw)
    assert list(figures) == [made]
    with pytest.raises(ValueError, match="registered twice"):
        figure("a/fig", **said)(rate.draw)
    with pytest.raises(TypeError, match="must be a sequence of ids"):
        figure("a/other", **{**said, "experiments": "a/b"})


@pytest.mark.parametrize(
    ("label", "fine"),
    [
        ("time [s]", True),
        ("time (s)", True),
        ("iteration (1)", True),
        ("error", False),
        ("(1)", False),
        ("error (1) of what", False),
        ("error ()", False),
    ],
)
def test_a_label_needs_a_quantity_and_a_unit(label, fine):
    fig, axes = subplots()
    axes[0, 0].set(xlabel="t (s)", ylabel=label)
    assert check_labels(fig) == ([] if fine else [f"panel 1: y label {label!r} has no unit"])


def test_shared_axes_and_figure_labels_speak_for_their_panels():
    fig, axes = subplots(2, 2, sharex=True, sharey="row")
    assert len(check_labels(fig)) == 8
    axes[1, 0].set(xlabel="t (s)")
    assert {line.split(": ")[1] for line in check_labels(fig)} == {"y axis has no label"}
    fig.supylabel("error (1)")
    assert check_labels(fig) == []


def test_colour_bars_need_one_label_and_hidden_axes_none():
    fig, axes = subplots(1, 2)
    axes[0, 1].set_axis_off()
    axes[0, 0].set(xlabel="t (s)", ylabel="x (m)")
    bar = fig.colorbar(axes[0, 0].imshow([[0, 1]]), ax=axes[0, 0])
    assert check_labels(fig) == ["panel 3: y axis has no label"]
    bar.set_label("error (1)")
    assert check_labels(fig) == []
