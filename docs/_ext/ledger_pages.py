"""Pages of the ledger: every claim that was judged, by topic."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stored import Stored, heading, page_of, table, words

from theorytk import registry
from theorytk.reporting import formatting
from theorytk.reporting.page import STATUSES, VERDICTS


def anchor(claim: str) -> str:
    """Return the name by which pages refer to a claim."""
    return "claim-" + claim.replace("/", "-")


def verdict(claim: dict[str, Any]) -> str:
    """Return sign and words of a verdict, so that colour is never alone."""
    sign, said = VERDICTS.get(claim["verdict"] or "", ("–", "not tested"))
    return f"[{sign} {said}]{{.verdict .v-{claim['verdict']}}}"


def link(data: Stored, id: str) -> str:
    """Return a link to a claim, named without its topic, or its name if it was not judged."""
    name = f"`{id.split('/')[-1]}`"
    return f"[{name}](#{anchor(id)})" if id in data.judged else name


def caught(claim: dict[str, Any]) -> str:
    """Return how many controls were caught."""
    controls = claim["controls"] or []
    return f"{sum(bool(c['caught']) for c in controls)} of {len(controls)} caught"


def claim_table(data: Stored, topic: str) -> str:
    """Return the claims of a topic with their verdicts as a table."""
    claims = data.claims_of(topic)
    rows = [[verdict(c), link(data, c["id"]), words(c["theorem"])] for c in claims]
    return table(["verdict", "claim", "theorem"], rows)


def totals(data: Stored) -> str:
    """Return one line on the last reproduction."""
    verdicts = Counter(claim["verdict"] for claim in data.claims)
    said = ", ".join(f"{verdicts[v]} {VERDICTS[v][1]}" for v in VERDICTS if verdicts[v])
    controls = [control for claim in data.claims for control in claim["controls"] or []]
    caught = sum(bool(control["caught"]) for control in controls)
    return (
        f"The last reproduction judged {len(data.claims)} claims at the preset "
        f"`{data.ledger['preset']}`: {said}. Of {len(controls)} deliberate mistakes, the controls, "
        f"it caught {caught}.\n"
    )


def index(data: Stored) -> str:
    """Return the page that counts verdicts by topic."""
    seen = [v for v in VERDICTS if any(c["verdict"] == v for c in data.claims)]
    rows = []
    for topic in data.topics:
        counts = Counter(c["verdict"] for c in data.claims_of(topic))
        controls = [k for c in data.claims_of(topic) for k in c["controls"] or []]
        rows.append(
            [f"[{heading(topic)}]({topic}.md)"]
            + [str(counts[v] or "–") for v in seen]
            + [f"{sum(bool(k['caught']) for k in controls)} of {len(controls)}"]
        )
    header = ["topic", *(" ".join(VERDICTS[v]) for v in seen), "controls caught"]
    entries = "\n".join(f"{heading(topic)} <{topic}>" for topic in data.topics)
    return (
        f"# Ledger\n\nAll {len(data.claims)} claims of the last reproduction, at the preset "
        f"`{data.ledger['preset']}`. A claim is a sentence that a measurement can contradict; a "
        "control is a mistake that the claim must contradict. What the verdicts mean is in "
        "[how to add a paper](/how_to/add_a_paper.md).\n\n"
        f"{table(header, rows)}\n\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n"
    )


def topic_page(data: Stored, topic: str) -> str:
    """Return the page of a topic's claims."""
    claims = data.claims_of(topic)
    intro = (
        f"# Claims: {heading(topic)}\n\n{len(claims)} claims, judged at the preset "
        f"`{data.ledger['preset']}`. Why they should hold: [the theory](/{page_of(topic)}.md)."
    )
    return "\n\n".join([intro, *(_entry(claim) for claim in claims)]) + "\n"


def _entry(claim: dict[str, Any]) -> str:
    """Return a claim with its statement, numbers and controls."""
    fields = {
        "Estimate": formatting.estimate(claim["estimate"], claim["interval"]),
        "Region": formatting.region(claim["region"]),
        "Controls": caught(claim),
        "Reason": words(claim["reason"] or ""),
        "Paper": f"{{cite:t}}`{claim['paper']}`, {words(claim['theorem'])}",
        "Status": STATUSES.get(claim["status"] or "", ""),
        "Method": f"{claim['method'] or '–'}, n = {formatting.count(claim['n'])}",
        "Experiment": f"`{claim['experiment']}`",
        "Figures": ", ".join(_figure_link(f) for f in claim["figures"]),
    }
    if claim["paper"] not in registry.papers:
        fields["Paper"] = words(claim["theorem"])
    lines = [f":{name}: {value}" for name, value in fields.items() if value]
    head = f"({anchor(claim['id'])})=\n## `{claim['id'].split('/')[1]}`\n"
    said = f"{verdict(claim)}\n\n{words(claim['statement'])}\n"
    return "\n".join([head, said, *lines, "", *_mistakes(claim)])


def _mistakes(claim: dict[str, Any]) -> list[str]:
    return [
        f"- Control {'caught' if c['caught'] else '**missed**'}: {words(c['mistake'])}; "
        f"{formatting.estimate(c['estimate'], c['interval'])}"
        for c in claim["controls"] or []
    ]


def _figure_link(id: str) -> str:
    return f"[{words(registry.figures.get(id).title)}](/generated/gallery/{id}.md)"
