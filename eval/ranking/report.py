"""A Comparison as one HTML file that needs nothing else, and its JSON twin."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eval.ranking.comparison import Comparison, Standing
from eval.ranking.plots import difference_plot, interval_plot, kind_plot
from ontology.errors import BadInput


def write_report(comparison: Comparison, path: Path) -> None:
    """Write the report to `path` and the numbers to the same name with .json.

    Raises:
        BadInput: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_report(comparison), "utf-8")
        twin = json.dumps(asdict(comparison), ensure_ascii=False, indent=1)
        path.with_suffix(".json").write_text(f"{twin}\n", "utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}). Name another file.") from error


def render_report(comparison: Comparison) -> str:
    """The HTML of the report."""
    systems, measure = comparison.systems, comparison.measure
    best = leader(systems, measure)
    others = [system.name for system in systems if system.name != best.name]
    page = templates().get_template("report.html")
    return page.render(
        comparison=comparison,
        best=best.name,
        chance=chance,
        intervals=Markup(interval_plot(systems, measure)),  # noqa: S704 - our own SVG, every name in it escaped
        kinds=Markup(kind_plot(systems, comparison.kinds, measure)) if len(comparison.kinds) > 1 else "",  # noqa: S704
        differences=[
            (other, Markup(difference_plot(comparison.outcomes, best.name, other, measure)))  # noqa: S704
            for other in others
        ],
    )


def chance(p: float) -> str:
    """A p value with four digits; one that rounds to nothing as smaller than the smallest."""
    return f"{p:.4f}" if p >= 0.00005 else "<0.0001"


def leader(systems: Sequence[Standing], measure: str) -> Standing:
    """The system with the highest mean; of equals the first named."""
    return max(systems, key=lambda system: system.mean[measure])


@cache
def templates() -> Environment:
    """The evaluator's pages: everything is escaped, and a value that is missing is an error."""
    return Environment(
        loader=PackageLoader("eval.ranking", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
