"""What can be chosen beside the words, as an address, a command or a form says it, read into `Chosen`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema

from nlp.embeddings.facets import FACETS
from nlp.places import Place, place_called, place_names
from nlp.query import Chosen, Filters, Sort, StatusFilter
from ontology.errors import BadInput
from ontology.hrcs import canonical
from registry.study import Sex

MOST = 100
"""Values of one name that are read."""
FURTHEST = 2500
"""Km; Norway is 1,750 km long."""


_MANY = Field(max_length=MOST)


def _one_of(facet: str) -> tuple[BeforeValidator, WithJsonSchema]:
    def check(value: str) -> str:
        wanted = (canonical(value) or value) if facet == "hrcs" else value.casefold()
        if wanted not in FACETS[facet]:
            raise ValueError(f"{value!r} is none of {', '.join(FACETS[facet])}")
        return wanted

    return BeforeValidator(check), WithJsonSchema({"type": "string", "enum": list(FACETS[facet])})


class Choices(BaseModel):
    """The names that addresses and commands use. Several values of one facet widen, several facets narrow.

    `near` is a Norwegian municipality, town or hospital, `within` km from it.
    """

    status: StatusFilter = "all"
    age: Annotated[float | None, Field(ge=0, le=120)] = None
    sex: Sex | None = None
    near: Annotated[str, WithJsonSchema({"type": "string", "enum": ["", *place_names()]})] = ""
    within: Annotated[float | None, Field(gt=0, le=FURTHEST)] = None
    ages: Annotated[list[Annotated[str, *_one_of("ages")]], _MANY] = []
    hrcs: Annotated[list[Annotated[str, *_one_of("hrcs")]], _MANY] = []
    phase: Annotated[list[Annotated[str, *_one_of("phase")]], _MANY] = []
    type: Annotated[list[Annotated[str, *_one_of("type")]], _MANY] = []
    sponsor: Annotated[list[Annotated[str, *_one_of("sponsor")]], _MANY] = []
    sort: Sort | None = None
    without: Annotated[list[str], _MANY] = []

    def chosen(self) -> Chosen:
        """The same for the search.

        Raises:
            BadInput: no place is called `near`.
        """
        only = frozenset((facet, value) for facet in MANY for value in getattr(self, facet))
        filters = Filters(self.status, self.age, self.sex, self.within, only)
        return Chosen(filters, _place(self.near), self.sort, frozenset(self.without))


MANY = ("ages", "hrcs", "phase", "type", "sponsor")
"""The facets of which several values may be chosen."""


def read_choices(given: Mapping[str, Any]) -> Choices:
    """What is given under these names; None is not given.

    Raises:
        BadInput: a value cannot be used; says which and what can.
    """
    try:
        return Choices.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = (f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ')}" for each in error.errors())
        raise BadInput("; ".join(wrong)) from None


def lenient(given: Mapping[str, str | Sequence[str]]) -> Choices:
    """What can be used of the names and values of an address; what is odd is left out."""
    kept: dict[str, Any] = {name: given[name] for name in Choices.model_fields if given.get(name)}
    while True:
        try:
            return Choices.model_validate(kept)
        except ValidationError as error:
            for name in {str(each["loc"][0]) for each in error.errors()}:
                kept[name] = _fitting(name, kept[name])
                if not kept[name]:
                    del kept[name]


def _fitting(name: str, values: Any) -> list[str]:
    """The values of a list that can be used alone; none of a single value."""
    if not isinstance(values, list) or len(values) > MOST:
        return []
    return [value for value in values if _fits(name, value)]


def _fits(name: str, value: str) -> bool:
    try:
        Choices.model_validate({name: [value]})
    except ValidationError:
        return False
    return True


def _place(name: str) -> Place | None:
    if not name.strip():
        return None
    place = place_called(name)
    if place is None:
        raise BadInput(f"No place is called {name!r}. Name a Norwegian municipality, town or hospital.")
    return place
