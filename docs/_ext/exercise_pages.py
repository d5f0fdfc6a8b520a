"""Pages of the exercises: a table of all, and a page with the statement of each."""

from __future__ import annotations

from collections.abc import Iterable

from stored import ROOT, Stored, heading, page_of, table, topic_of, words

from theorytk.classroom import Exercise, exercises


def pages(data: Stored) -> dict[str, str]:
    """Return all pages by the names of their files."""
    made = {f"exercises/{exercise.id}.md": page(exercise) for exercise in exercises(ROOT)}
    return made | {"exercises/index.md": index(data)}


def index(data: Stored) -> str:
    """Return the page with a table of each topic's exercises."""
    found = exercises(ROOT)
    parts = [
        f"# Exercises\n\nAll {len(found)} exercises; [how to work with them, and how to teach with "
        "them](/classroom.md)."
    ]
    for topic in data.topics:
        parts += [f"## {heading(topic)}", _table(e for e in found if topic_of(e.id) == topic)]
    entries = "\n".join(exercise.id for exercise in found)
    return "\n\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{entries}\n```\n"])


def page(exercise: Exercise) -> str:
    """Return the page of an exercise: its statement, and how to begin."""
    topic = topic_of(exercise.id)
    asked = f"\n\n**In words.** {exercise.question}" if exercise.question else ""
    return f"""{exercise.statement.strip()}{asked}

## Begin

```shell
theorytk exercise start {exercise.id}
theorytk exercise check {exercise.id} {exercise.name}.py
```

The first line writes a notebook, a Python file and the figure to reach; the second tells what is
wrong, with a hint. There are {exercise.points} points. The paper is {{cite:t}}`{exercise.paper}`;
read [the theory](/{page_of(topic)}.md).
"""


def _table(found: Iterable[Exercise]) -> str:
    rows = [
        [f"[{words(e.title)}](/generated/exercises/{e.id}.md)", f"`{e.id}`", str(e.points)]
        for e in found
    ]
    return table(["exercise", "id", "points"], rows)
