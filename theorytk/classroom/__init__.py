"""Exercises for a class: handed out, checked in a process of their own, graded by the folder."""

from theorytk.classroom.comparing import (
    Wrong,
    array,
    between,
    close,
    number,
    quick,
    refuses,
    same,
    true,
)
from theorytk.classroom.exercises import Check, Exercise, check, exercises, find, picture
from theorytk.classroom.grading import Grade, assess, grade
from theorytk.classroom.handouts import seed_of, start
from theorytk.classroom.marking import Mark, draw, examine
from theorytk.classroom.sandbox import Limits

__all__ = [
    "Check",
    "Exercise",
    "Grade",
    "Limits",
    "Mark",
    "Wrong",
    "array",
    "assess",
    "between",
    "check",
    "close",
    "draw",
    "examine",
    "exercises",
    "find",
    "grade",
    "number",
    "picture",
    "quick",
    "refuses",
    "same",
    "seed_of",
    "start",
    "true",
]
