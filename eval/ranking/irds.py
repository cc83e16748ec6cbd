"""Collections by their name in ir_datasets, when that package is installed (`pip install ir-datasets`)."""

from importlib.util import find_spec
from typing import Any

from eval.ranking.collection import Collection, assemble
from eval.ranking.topics import Judgment, Topic
from ontology.errors import BadInput, Unavailable
from registry.study import Status, Study


def load_collection(name: str, queries: str = "text") -> Collection:
    """The documents, queries and judgments of a dataset; `queries` names a field of its queries.

    `text` is the query as ir_datasets gives it by default. The package downloads what it does not have.

    Raises:
        Unavailable: ir_datasets is not installed.
        BadInput: it knows no such dataset, or the dataset has no judgments or no such field.
    """
    if find_spec("ir_datasets") is None:
        raise Unavailable(f"{name} is no folder, and ir_datasets is not installed: pip install ir-datasets.")
    import ir_datasets  # noqa: PLC0415 - optional

    try:
        dataset = ir_datasets.load(name)
    except KeyError:
        raise BadInput(f"{name} is neither a folder nor a dataset that ir_datasets knows.") from None
    if not (dataset.has_docs() and dataset.has_queries() and dataset.has_qrels()):
        raise BadInput(f"{name} has no judgments. Name one of its subsets, such as {name}/test.")
    return assemble(
        name.replace("/", "-"),
        [_study(document) for document in dataset.docs_iter()],
        [Topic(query.query_id, (_words(query, queries),)) for query in dataset.queries_iter()],
        [Judgment(q.query_id, q.doc_id, max(0, q.relevance)) for q in dataset.qrels_iter()],
    )


def _words(query: Any, field: str) -> str:
    if field == "text":
        return str(query.default_text())
    if field not in query._fields:
        raise BadInput(f"The queries have no field {field!r}. There are: {', '.join(query._fields)}.")
    return str(getattr(query, field))


def _study(document: Any) -> Study:
    title = str(getattr(document, "title", ""))
    return Study(
        id=document.doc_id,
        source="ir_datasets",
        title=title,
        status=Status.UNDER_REVIEW,
        summary=str(document.default_text()).removeprefix(title).strip(),
    )
