import random
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.eligibility.criteria import Criterion, Parsed
from nlp.eligibility.logic import (
    And,
    AtLeast,
    Not,
    Or,
    Rule,
    Truth,
    Unread,
    is_read,
    outcomes,
    pruned,
    relations,
    truth,
)
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.sections import Section
from nlp.eligibility.variables import Answer, Answerer
from nlp.eligibility.verdict import Outcome, judge
from ontology.concept import Concept, Ontology
from ontology.concept import Kind as ConceptKind

PARENTS = {"diabetes": (), "diabetes-type-2": ("diabetes",), "asthma": ()}
ONTOLOGY = Ontology(
    [
        *(
            Concept(key, ConceptKind.CONDITION, key, key, key, (), parents=above)
            for key, above in PARENTS.items()
        ),
        Concept("warfarin", ConceptKind.DRUG, "warfarin", "warfarin", "warfarin", ()),
    ],
    {},
)
TODAY = date(2026, 11, 28)
UNREAD = Unread(0, 1)
PREGNANT = Relation(Kind.PREGNANCY, "pregnancy")
CONTRACEPTION = Relation(Kind.PREGNANCY, "contraception")
WARFARIN = Relation(Kind.DRUG, "drug:warfarin", concept="warfarin")
WOMAN = Relation(Kind.SEX, "sex", values=("female",))
ANY_SEX = Relation(Kind.SEX, "sex", values=("female", "male"))


def has(concept: str) -> Relation:
    return Relation(Kind.CONDITION, f"condition:{concept}", concept=concept)


def had(concept: str) -> Relation:
    return Relation(Kind.CONDITION, f"history:{concept}", concept=concept)


def had_within(concept: str, days: int) -> Relation:
    return Relation(Kind.CONDITION, f"history:{concept}@{days}", concept=concept)


def lasted(lower: Bound | None = None, upper: Bound | None = None) -> Relation:
    return Relation(Kind.OTHER, "symptom_duration", lower=lower, upper=upper, unit="month")


def age(lower: Bound | None = None, upper: Bound | None = None) -> Relation:
    return Relation(Kind.AGE, "age", lower=lower, upper=upper)


def criterion(rule: Rule | None, section: Section = Section.INCLUSION) -> Criterion:
    read = Parsed.FULL if is_read(rule) else Parsed.PARTIAL
    parsed = read if any(relations(rule)) else Parsed.NONE
    who = Answerer.PATIENT if parsed is not Parsed.NONE else Answerer.STUDY_TEAM
    return Criterion("c", "", 0, 0, section, rule, parsed, who)


def truth_of(rule: Rule | None, answers: Mapping[str, Answer]) -> str:
    (finding,) = judge("S1", [criterion(rule)], answers, ONTOLOGY, today=TODAY).findings
    return finding.truth.value


def outcome(criteria: list[Criterion], answers: Mapping[str, Answer]) -> str:
    return judge("S1", criteria, answers, ONTOLOGY, today=TODAY).outcome.value


@pytest.mark.parametrize(
    ("relation", "years", "expected"),
    [
        (age(Bound(18)), 17, "not_met"),
        (age(Bound(18)), 18, "met"),
        (age(Bound(18, inclusive=False)), 17, "not_met"),
        (age(Bound(18, inclusive=False)), 18, "unknown"),
        (age(Bound(18, inclusive=False)), 18.5, "met"),
        (age(Bound(18, inclusive=False)), 19, "met"),
        (age(None, Bound(75)), 75, "met"),
        (age(None, Bound(75)), 75.9, "met"),
        (age(None, Bound(75)), 76, "not_met"),
        (age(None, Bound(75, inclusive=False)), 74, "met"),
        (age(None, Bound(75, inclusive=False)), 75, "not_met"),
        (age(Bound(1.5)), 1, "unknown"),
        (age(Bound(1.5)), 2, "met"),
        (age(Bound(1.5)), 0, "not_met"),
        (age(None, Bound(0.5)), 0, "unknown"),
        (age(None, Bound(0.5)), 0.5, "met"),
        (age(None, Bound(0.5)), 1, "not_met"),
        (age(Bound(18), Bound(75)), None, "unknown"),
        (age(Bound(18), Bound(75)), "eighteen", "unknown"),
    ],
)
def test_a_whole_number_of_years_is_any_age_until_the_next_birthday(
    relation: Relation, years: Answer, expected: str
) -> None:
    assert truth_of(relation, {"age": years}) == expected


@pytest.mark.parametrize(
    ("relation", "answers", "expected"),
    [
        (has("diabetes"), {"condition:diabetes-type-2": True}, "met"),
        (has("diabetes-type-2"), {"condition:diabetes": True}, "unknown"),
        (has("diabetes-type-2"), {"condition:diabetes": False}, "not_met"),
        (has("diabetes"), {"condition:diabetes-type-2": False}, "unknown"),
        (had("diabetes"), {"condition:diabetes": True}, "met"),
        (has("diabetes"), {"history:diabetes": True}, "unknown"),
        (has("diabetes"), {"history:diabetes": False}, "not_met"),
        (had("diabetes"), {"condition:diabetes": False}, "unknown"),
        (has("diabetes"), {"condition:diabetes": None}, "unknown"),
        (has("diabetes"), {"condition:diabetes": False, "condition:diabetes-type-2": True}, "unknown"),
    ],
)
def test_conditions_follow_the_hierarchy_and_time(
    relation: Relation, answers: dict[str, Answer], expected: str
) -> None:
    assert truth_of(relation, answers) == expected


@pytest.mark.parametrize(
    ("relation", "answers", "expected"),
    [
        (had("asthma"), {"last_condition:asthma": "2019"}, "met"),
        (had("asthma"), {"last_condition:asthma": "../2009"}, "met"),
        (had("asthma"), {"last_condition:asthma": "never"}, "not_met"),
        (has("asthma"), {"last_condition:asthma": "never"}, "not_met"),
        (has("asthma"), {"last_condition:asthma": "2019"}, "unknown"),
        (WARFARIN, {"last_drug:warfarin": "2019"}, "not_met"),
        (WARFARIN, {"last_drug:warfarin": "2026-11"}, "unknown"),
        (WARFARIN, {"last_drug:warfarin": "2026-11-28"}, "met"),
        (has("asthma"), {"last_condition:asthma": "2026-11-10"}, "unknown"),
        (has("asthma"), {"last_condition:asthma": "2026-11-28"}, "met"),
        (had_within("asthma", 183), {"last_condition:asthma": "2026-09"}, "met"),
        (had_within("asthma", 183), {"last_condition:asthma": "2026-05"}, "unknown"),
        (had_within("asthma", 183), {"last_condition:asthma": "2026-04"}, "not_met"),
        (had_within("asthma", 183), {"last_condition:asthma": "2026"}, "unknown"),
        (had_within("asthma", 365), {"last_condition:asthma": "2026"}, "met"),
        (had_within("asthma", 183), {"last_condition:asthma": "2025-06/2025-08"}, "not_met"),
        (had_within("asthma", 183), {"last_condition:asthma": "../2009"}, "not_met"),
        (had_within("asthma", 7), {"last_condition:asthma": "2026-11-27"}, "met"),
        (had_within("asthma", 183), {"last_condition:asthma": None}, "unknown"),
        (had_within("asthma", 183), {"last_condition:asthma": "2027-01"}, "unknown"),
        (had_within("asthma", 183), {"last_condition:asthma": "in spring"}, "unknown"),
        (had_within("diabetes", 183), {"last_condition:diabetes-type-2": "2026-09"}, "met"),
        (had_within("diabetes", 183), {"last_condition:diabetes-type-2": "2019"}, "unknown"),
        (had_within("diabetes-type-2", 183), {"last_condition:diabetes": "2019"}, "not_met"),
        (
            had_within("asthma", 183),
            {"last_condition:asthma": "2019", "history:asthma@365": True},
            "not_met",
        ),
        (
            had_within("asthma", 183),
            {"last_condition:asthma": "2019", "history:asthma@90": True},
            "unknown",
        ),
        (lasted(Bound(3)), {"symptom_duration": "2026-03"}, "met"),
        (lasted(Bound(3)), {"symptom_duration": "2026-10"}, "not_met"),
        (lasted(Bound(3)), {"symptom_duration": "2026-08"}, "unknown"),
        (lasted(None, Bound(12)), {"symptom_duration": "2019"}, "not_met"),
        (lasted(Bound(3)), {"symptom_duration": "never"}, "unknown"),
        (lasted(Bound(3)), {}, "unknown"),
    ],
)
def test_a_date_answers_every_window_that_it_lies_in_or_outside_of_as_a_whole(
    relation: Relation, answers: dict[str, Answer], expected: str
) -> None:
    assert truth_of(relation, answers) == expected


def test_what_cannot_concern_somebody_is_settled_without_a_question() -> None:
    assert truth_of(Not(PREGNANT), {"sex": "male"}) == "met"
    assert truth_of(Not(PREGNANT), {"sex": "female", "age": 70}) == "met"
    assert truth_of(PREGNANT, {"sex": "male"}) == "not_met"
    assert truth_of(Not(PREGNANT), {"sex": "female"}) == "unknown"
    assert truth_of(Or((CONTRACEPTION, UNREAD)), {"sex": "male"}) == "met"
    assert truth_of(Or((CONTRACEPTION, UNREAD)), {"contraception": False}) == "unknown"


def test_sex() -> None:
    assert truth_of(WOMAN, {"sex": "female"}) == "met"
    assert truth_of(WOMAN, {"sex": "male"}) == "not_met"
    assert truth_of(WOMAN, {"sex": "other"}) == "unknown"
    assert truth_of(ANY_SEX, {}) == "met"


def test_at_least_two_of_three() -> None:
    rule = AtLeast(2, (has("diabetes"), has("asthma"), UNREAD))
    assert truth_of(rule, {"condition:diabetes": True, "condition:asthma": True}) == "met"
    assert truth_of(rule, {"condition:diabetes": True, "condition:asthma": False}) == "unknown"
    assert truth_of(rule, {"condition:diabetes": False, "condition:asthma": False}) == "not_met"


def test_a_finding_names_the_answers_it_rests_on() -> None:
    rule = And((has("diabetes"), has("asthma")))
    (finding,) = judge(
        "S1", [criterion(rule)], {"condition:asthma": False, "age": 3}, ONTOLOGY, today=TODAY
    ).findings
    assert finding.answers == (("condition:asthma", False),)


DIABETES = criterion(has("diabetes"))
NOT_PREGNANT = criterion(Not(PREGNANT), Section.EXCLUSION)
STABLE_DIABETES = criterion(And((has("diabetes"), UNREAD)))
NO_BAD_ASTHMA = criterion(Not(And((has("asthma"), UNREAD))), Section.EXCLUSION)
NOT_READ = criterion(None)
ADULT = criterion(age(Bound(18)), Section.RECORD)


@pytest.mark.parametrize(
    ("criteria", "answers", "expected"),
    [
        ([DIABETES, NOT_PREGNANT], {"condition:diabetes": True, "pregnancy": False}, "may_fit"),
        ([DIABETES, NOT_PREGNANT], {"condition:diabetes": True, "sex": "male"}, "may_fit"),
        ([DIABETES, NOT_PREGNANT], {"condition:diabetes": True}, "unclear"),
        ([DIABETES, NOT_PREGNANT], {"condition:diabetes": True, "pregnancy": True}, "probably_not"),
        ([DIABETES, NOT_PREGNANT], {"condition:diabetes": False}, "probably_not"),
        ([STABLE_DIABETES], {"condition:diabetes": True}, "may_fit"),
        ([STABLE_DIABETES], {"condition:diabetes": False}, "probably_not"),
        ([DIABETES, NO_BAD_ASTHMA], {"condition:diabetes": True, "condition:asthma": True}, "unclear"),
        ([DIABETES, NO_BAD_ASTHMA], {"condition:diabetes": True, "condition:asthma": False}, "may_fit"),
        ([DIABETES, NOT_READ], {"condition:diabetes": True}, "may_fit"),
        ([ADULT, NOT_READ], {"age": 40}, "unclear"),
        ([ADULT], {"age": 40}, "unclear"),
        ([], {}, "unclear"),
    ],
)
def test_the_outcome_promises_no_more_than_was_understood(
    criteria: list[Criterion], answers: dict[str, Answer], expected: str
) -> None:
    assert outcome(criteria, answers) == expected


WINDOWS = (14, 183)
LEAVES = st.sampled_from(
    [
        *map(has, PARENTS),
        *map(had, PARENTS),
        *(had_within(concept, days) for concept in PARENTS for days in WINDOWS),
        age(Bound(18), Bound(65)),
        age(None, Bound(40, inclusive=False)),
        age(Bound(50, inclusive=False)),
        WOMAN,
        ANY_SEX,
        PREGNANT,
        CONTRACEPTION,
        UNREAD,
    ]
)
RULES = st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=4).map(lambda parts: AtLeast(2, tuple(parts)))
    ),
    max_leaves=8,
)


DAYS_AGO = st.sampled_from([inf, 0.0]) | st.integers(1, 800).map(float)
PRECISIONS = st.lists(st.sampled_from([0, 4, 7, 10]), min_size=1, max_size=1)


@st.composite
def people(draw: st.DrawFn) -> dict[str, Answer]:
    """Everything there is to know of a person, free of contradictions."""
    ago = {name: draw(DAYS_AGO) for name in ("diabetes-type-2", "another-diabetes", "asthma")}
    ago["diabetes"] = min(ago["diabetes-type-2"], ago.pop("another-diabetes"))
    sex, years = draw(st.sampled_from(["female", "male"])), draw(st.integers(0, 99))
    may = sex == "female" and 12 <= years <= 55
    return {
        **{f"condition:{key}": days == 0 for key, days in ago.items()},
        **{f"history:{key}": days < inf for key, days in ago.items()},
        **{f"history:{key}@{most}": days <= most for key, days in ago.items() for most in WINDOWS},
        **{f"last_condition:{key}": remembered(days, draw(PRECISIONS))[0] for key, days in ago.items()},
        "sex": sex,
        "age": years,
        "pregnancy": may and draw(st.booleans()),
        "contraception": not may or draw(st.booleans()),
    }


def remembered(days_ago: float, precisions: list[int]) -> list[str]:
    """A day as somebody remembers it: by these numbers of characters of its date."""
    if days_ago == inf:
        return ["never" for _ in precisions]
    day = (TODAY - timedelta(days_ago)).isoformat()
    return [day[:precision] or f"../{day[:7]}" for precision in precisions]


def told(person: dict[str, Answer], picks: list[bool]) -> dict[str, Answer]:
    """What a person has told; the rest is not asked or answered «vet ikke»."""
    return {key: value for (key, value), pick in zip(person.items(), picks, strict=False) if pick}


PICKS = st.lists(st.booleans(), min_size=30, max_size=30)


@given(st.lists(RULES, max_size=4), people(), PICKS, PICKS)
def test_more_answers_never_turn_a_clear_finding_around(
    rules: list[Rule], person: dict[str, Answer], first: list[bool], more: list[bool]
) -> None:
    criteria = [criterion(rule) for rule in rules]
    early = judge("S1", criteria, told(person, first), ONTOLOGY, today=TODAY)
    both = [a or b for a, b in zip(first, more, strict=True)]
    late = judge("S1", criteria, told(person, both), ONTOLOGY, today=TODAY)
    for before, after in zip(early.findings, late.findings, strict=True):
        assert before.truth in {Truth.UNKNOWN, after.truth}
    if early.outcome is Outcome.PROBABLY_NOT:
        assert late.outcome is Outcome.PROBABLY_NOT


@given(st.lists(RULES, max_size=4), people(), PICKS, st.randoms())
def test_the_order_of_answers_and_not_knowing_change_nothing(
    rules: list[Rule], person: dict[str, Answer], picks: list[bool], chance: random.Random
) -> None:
    criteria = [criterion(rule) for rule in rules]
    answers = told(person, picks)
    shuffled = list({**dict.fromkeys(person), **answers}.items())
    chance.shuffle(shuffled)
    plain = judge("S1", criteria, answers, ONTOLOGY, today=TODAY)
    asked = judge("S1", criteria, dict(shuffled), ONTOLOGY, today=TODAY)
    assert [f.truth for f in plain.findings] == [f.truth for f in asked.findings]
    assert plain.outcome is asked.outcome


@given(RULES, DAYS_AGO, st.sampled_from(sorted(PARENTS)))
def test_a_more_exact_date_never_turns_a_clear_finding_around(rule: Rule, days: float, concept: str) -> None:
    findings = [
        truth_of(rule, {f"last_condition:{concept}": when}) for when in remembered(days, [0, 4, 7, 10])
    ]
    for before, after in pairwise(findings[1:]):
        assert before in {"unknown", after}
    assert findings[0] in {"unknown", *findings[2:]}


@given(RULES)
def test_unknown_never_excludes(rule: Rule) -> None:
    assert truth(rule, lambda _: Truth.UNKNOWN) is Truth.UNKNOWN


@given(RULES, people())
def test_pruning_changes_no_truth_and_leaves_only_what_answers_can_decide(
    rule: Rule, person: dict[str, Answer]
) -> None:
    slim = pruned(rule)
    assert truth_of(slim, person) == truth_of(rule, person)
    assert outcomes(slim) == outcomes(rule)
    assert outcomes(slim) or isinstance(slim, Unread)
