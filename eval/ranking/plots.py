"""Numbers in, SVG out. Each plot says in words what it shows; the tables of the report say it in full."""

from collections.abc import Mapping, Sequence
from html import escape

from eval.ranking.comparison import SAME, Outcome, Standing

WIDTH = 760
LABEL = 150
ROW = 30
LINE = 20
LONGEST_LABEL = 20
INKS = ("#0b5563", "#b3541e", "#5b3f8c", "#14603a", "#97231b", "#4a5763")
SHAPES: Sequence[Sequence[tuple[int, int]]] = (
    ((-5, -5), (5, -5), (5, 5), (-5, 5)),
    ((0, -7), (7, 0), (0, 7), (-7, 0)),
    ((0, -7), (7, 6), (-7, 6)),
    ((0, 7), (7, -6), (-7, -6)),
    ((-2, -7), (2, -7), (2, 7), (-2, 7)),
    ((-7, -2), (7, -2), (7, 2), (-7, 2)),
)
"""Corners around a point. Systems differ by shape as well as by colour."""


def interval_plot(systems: Sequence[Standing], measure: str) -> str:
    """Each system's mean as a dot on its 95 % interval, on a scale from 0 to 1."""
    body = [_scale(len(systems) * ROW)]
    for row, system in enumerate(systems):
        y = row * ROW + ROW / 2
        low, high = system.interval[measure]
        body.append(_label(system.name, y))
        body.append(f'<line class="whisker" x1="{_x(low)}" x2="{_x(high)}" y1="{y}" y2="{y}"/>')
        body.append(_mark(row, _x(system.mean[measure]), y))
        body.append(f'<text x="{_x(high) + 8}" y="{y + 5}">{system.mean[measure]:.3f}</text>')
    told = "; ".join(
        f"{s.name} {s.mean[measure]:.3f} ({s.interval[measure][0]:.3f} to {s.interval[measure][1]:.3f})"
        for s in systems
    )
    return _svg(f"Mean {measure} and its 95 % interval", told, len(systems) * ROW + 30, body)


def difference_plot(outcomes: Sequence[Outcome], first: str, second: str, measure: str) -> str:
    """One bar a query, first minus second, from the greatest win to the greatest loss."""
    ordered = sorted(outcomes, key=lambda each: each.values[second] - each.values[first])
    step = WIDTH / max(1, len(ordered))
    half = 90
    body = [f'<line class="axis" x1="0" x2="{WIDTH}" y1="{half}" y2="{half}"/>']
    body.append(f'<text class="end" x="{WIDTH}" y="14">{escape(first)} better</text>')
    body.append(f'<text x="0" y="{2 * half - 4}">{escape(second)} better</text>')
    for place, each in enumerate(ordered):
        difference = each.values[first] - each.values[second]
        height = abs(difference) * half
        top = half - height if difference > 0 else half
        told = f"{each.words[:80]}: {difference:+.3f}"
        body.append(
            f'<rect class="{"won" if difference > 0 else "lost"}" x="{place * step:.2f}" y="{top:.2f}" '
            f'width="{max(step - 0.6, 0.6):.2f}" height="{height:.2f}"><title>{escape(told)}</title></rect>'
        )
    won = sum(each.values[first] - each.values[second] > SAME for each in ordered)
    lost = sum(each.values[second] - each.values[first] > SAME for each in ordered)
    told = f"{first} is better on {won} queries, {second} on {lost}, of {len(ordered)}."
    return _svg(f"{measure} of each query, {first} minus {second}", told, 2 * half, body)


def kind_plot(systems: Sequence[Standing], kinds: Mapping[str, int], measure: str) -> str:
    """Each system's mean by type of query, on a scale from 0 to 1."""
    body = [_scale(len(kinds) * ROW)]
    for row, (kind, count) in enumerate(kinds.items()):
        y = row * ROW + ROW / 2
        body.append(_label(f"{kind} ({count})", y))
        body.append(f'<line class="guide" x1="{_x(0)}" x2="{_x(1)}" y1="{y}" y2="{y}"/>')
        body += [
            _mark(place, _x(system.by_kind[kind]), y, system.name) for place, system in enumerate(systems)
        ]
    bottom = len(kinds) * ROW + 44
    for place, system in enumerate(systems):
        y = bottom + place * LINE
        body.append(
            _mark(place, LABEL, y) + f'<text x="{LABEL + 14}" y="{y + 5}">{escape(system.name)}</text>'
        )
    told = "; ".join(f"{s.name}: " + ", ".join(f"{k} {v:.2f}" for k, v in s.by_kind.items()) for s in systems)
    return _svg(f"Mean {measure} by type of query", told, bottom + len(systems) * LINE, body)


def _x(value: float) -> float:
    return round(LABEL + value * (WIDTH - LABEL - 60), 1)


def _scale(height: float) -> str:
    lines = []
    for tenth in range(0, 11, 2):
        x = _x(tenth / 10)
        lines.append(f'<line class="guide" x1="{x}" x2="{x}" y1="0" y2="{height}"/>')
        lines.append(f'<text class="tick" x="{x}" y="{height + 18}">{tenth / 10:.1f}</text>')
    return "".join(lines)


def _label(text: str, y: float) -> str:
    """A row's name, cut so that it stays inside the plot; the tables have it whole."""
    text = text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
    return f'<text class="label" x="{LABEL - 12}" y="{y + 5}">{escape(text)}</text>'


def _mark(place: int, x: float, y: float, name: str = "") -> str:
    corners = " ".join(f"{x + dx},{y + dy}" for dx, dy in SHAPES[place % len(SHAPES)])
    title = f"<title>{escape(name)}</title>" if name else ""
    return f'<polygon points="{corners}" fill="{INKS[place % len(INKS)]}">{title}</polygon>'


def _svg(title: str, told: str, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg role="img" viewBox="0 -4 {WIDTH} {height + 8}" aria-label="{escape(f"{title}. {told}")}">'
        f"{''.join(body)}</svg>"
    )
