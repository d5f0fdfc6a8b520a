"""Progress: plain lines where there is no terminal, nothing when quiet."""

from __future__ import annotations

import io
import sys

from theorytk.runner.progress import Progress


def advance(total, quiet=False):
    with Progress(total, quiet=quiet) as shown:
        for _ in range(total):
            shown.advance("coin/toss")


def test_the_last_task_is_a_plain_line(capsys):
    advance(3)
    out, said = capsys.readouterr()
    assert out == ""
    assert said == "3/3 tasks, 0 s, coin/toss\n"


def test_a_long_run_says_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr("theorytk.runner.progress.LINE_SECONDS", 0.0)
    advance(3)
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said] == ["1/3", "2/3", "3/3"]


def test_quiet_and_nothing_to_do_say_nothing(capsys):
    advance(3, quiet=True)
    advance(0)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    advance(3)
    assert "3/3" in screen.getvalue()
    assert "coin/toss" in screen.getvalue()
