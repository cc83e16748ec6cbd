from datetime import date

import pytest

from chatbot.facts import Reader, Said, Subject, When, read_age, read_number
from chatbot.intents import intents, read_answer
from chatbot.phrases import rows
from ontology.concept import load_ontology
from ontology.linker import Linker

YEAR = 2026


@pytest.fixture(scope="module")
def reader() -> Reader:
    ontology = load_ontology()
    return Reader(Linker(ontology), ontology, date(YEAR, 11, 28))


@pytest.mark.parametrize(
    ("message", "age"),
    [
        ("jeg er 54", 54),
        ("eg er fem og seksti", 65),
        ("æ e 45", 45),
        ("I'm sixty-seven", 67),
        ("født 1958", 68),
        ("født i 58", 68),
        ("fødd 12.03.1990", 36),
        ("gutt på 9", 9),
        ("jenta mi på 7 har epilepsi", 7),
        ("jeg er mor til en gutt på 9 med astma", 9),
        ("ungen hoster om natta, er 8 år", 8),
        ("mann 67 år med kols", 67),
        ("kvinne, 54", 54),
        ("pasient 72 år, kvinne, med hjertesvikt", 72),
        ("66-åring", 66),
        ("I am a 34 year old woman", 34),
        ("datteren min er 6 måneder", 0.5),
        ("to år", 2),
    ],
)
def test_stated_ages_are_read(message: str, age: float) -> None:
    assert read_age(message, YEAR) == age


@pytest.mark.parametrize(
    "message",
    [
        "tja 67",
        "har hatt diabetes i 10 år",
        "for 10 år siden",
        "operert for 3 år sidan",
        "jeg er 54 kg",
        "gravid i uke 12",
        "HbA1c 58",
        "jeg er 400 år",
        "kols",
    ],
)
def test_durations_and_measurements_are_no_ages(message: str) -> None:
    assert read_age(message, YEAR) is None


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("tja 67", 67),
        ("ca 7,5", 7.5),
        ("sekstisju", 67),
        ("nei forresten, 64", 64),
        ("HbA1c 58", 58),
        ("60-70", None),
        ("mellom 60 og 70", None),
        ("vet ikke", None),
    ],
)
def test_a_number_is_read_when_there_is_one(message: str, number: float | None) -> None:
    assert read_number(message) == number


YES = [
    "ja",
    "jo",
    "Ja!",
    "jepp",
    "ja det har jeg",
    "jau",
    "yes I do",
    "nei, eller jo litt",
    "ja, men bare litt",
    "tror det",
]
NO = [
    "nei",
    "Nei.",
    "nope",
    "niks",
    "nei, aldri",
    "har aldri hatt det",
    "det har jeg ikke",
    "ja, eller nei",
    "tror ikke det",
    "ikke som jeg vet",
    "I don't think so",
]
UNKNOWN = [
    "vet ikke",
    "veit ikkje",
    "æ veit itj",
    "vet ikke helt",
    "usikker",
    "hopp over",
    "don't know",
    "kanskje",
    "husker ikke",
    "ingen aning",
    "nei, jeg vet ikke",
]


@pytest.mark.parametrize(
    ("message", "said"),
    [*((m, Said.YES) for m in YES), *((m, Said.NO) for m in NO), *((m, Said.UNKNOWN) for m in UNKNOWN)],
)
def test_yes_no_and_unknown_are_kept_apart(message: str, said: Said) -> None:
    assert read_answer(message) is said


@pytest.mark.parametrize("message", ["diabetes", "67", "hva betyr det?", "jeg er kvinne", ""])
def test_what_is_no_answer_is_none(message: str) -> None:
    assert read_answer(message) is None


@pytest.mark.parametrize(
    ("message", "subject", "sex"),
    [
        ("jenta mi på 7 har epilepsi", Subject.CHILD, "female"),
        ("sønnen har peanøttallergi", Subject.CHILD, "male"),
        ("jeg er mor til en gutt på 9", Subject.CHILD, "male"),
        ("mannen min har als", Subject.PARTNER, "male"),
        ("hu mor e heilt borte", Subject.PARENT, "female"),
        ("min pappa har fått magcancer", Subject.PARENT, "male"),
        ("pasient 72 år, kvinne, med hjertesvikt", Subject.PATIENT, "female"),
        ("jeg er mann på 45", Subject.SELF, "male"),
        ("gravid og plaga av hovudverk", None, "female"),
        ("kols", None, None),
    ],
)
def test_whose_facts_and_which_sex(
    message: str, subject: Subject | None, sex: str | None, reader: Reader
) -> None:
    facts = reader.read(message)
    assert (facts.subject, facts.sex) == (subject, sex)


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("jeg har astma", When.PRESENT),
        ("mann 67 med astma", When.PRESENT),
        ("har hatt astma", When.PAST),
        ("jeg har ikke astma", When.ABSENT),
        ("legen mistenker astma", When.SUSPECTED),
        ("astma", When.MENTIONED),
        ("studier om astma", When.MENTIONED),
    ],
)
def test_a_named_disease_is_a_fact_only_when_somebody_has_it(
    message: str, when: When, reader: Reader
) -> None:
    (condition,) = reader.read(message).conditions
    assert (condition.concept, condition.when) == ("asthma", when)


@pytest.mark.parametrize("row", list(rows("listen.tsv")), ids=lambda row: row["example"])
def test_every_row_of_the_table_hears_its_own_example(row: dict[str, str]) -> None:
    assert row["intent"] in intents(row["example"])


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("har hatt diabetes type 2 i 20 år", ("diabetes-type-2", When.PRESENT, 20)),
        ("har kols siden 2010", ("copd", When.PRESENT, 16)),
        ("hatt brystkreft i 2015, frisk nå", ("breast-cancer", When.PAST, 11)),
        ("kona mi fikk slag for to år siden", ("stroke", When.PAST, 2)),
        ("det er ikke kreft, men KOLS", ("cancer", When.ABSENT, None)),
        ("mor hadde brystkreft, jeg er 45", ("breast-cancer", When.FAMILY, None)),
        ("jenta mi er 9 og har astma", ("asthma", When.PRESENT, None)),
        ("utredes for MS", ("multiple-sclerosis", When.SUSPECTED, None)),
    ],
)
def test_whether_somebody_has_it_and_since_when(
    message: str, told: tuple[str, When, float | None], reader: Reader
) -> None:
    conditions = reader.read(message).conditions
    assert told in [(each.concept, each.when, each.since_years) for each in conditions]


def test_drugs_by_brand_and_substance_now_and_before(reader: Reader) -> None:
    drugs = reader.read("brukte før Marevan men går nå på Eliquis og metoprolol").drugs
    assert {each.concept: each.use.value for each in drugs} == {
        "warfarin": "past",
        "apixaban": "current",
        "metoprolol": "current",
    }


@pytest.mark.parametrize(
    ("message", "measured"),
    [
        ("HbA1c 58", ("hba1c", 58, "mmol/mol", True)),
        ("hba1c er 7,5 prosent", ("hba1c", 7.5, "%", False)),
        ("blodtrykk 140/90", ("dbp", 90, "mmHg", False)),
        ("veier 94 kg og er 178 høy", ("height", 178, "cm", False)),
        ("PSA va 14", ("psa", 14, "ug/l", False)),
    ],
)
def test_measurements_come_with_their_unit_or_in_doubt(
    message: str, measured: tuple[str, float, str, bool], reader: Reader
) -> None:
    found = reader.read(message).measurements
    assert measured in [(each.name, each.value, each.unit, each.doubtful) for each in found]


def test_weight_that_was_lost_is_no_weight(reader: Reader) -> None:
    assert reader.read("har gått ned 10 kilo").measurements == ()


@pytest.mark.parametrize(
    ("message", "subject", "age", "sex"),
    [
        ("min mand er 72 og har KOL", Subject.PARTNER, 72, "male"),
        ("min mann på 66 har prostatakreft", Subject.PARTNER, 66, "male"),
        ("min søn er otte år og har astma", Subject.CHILD, 8, "male"),
        ("min mamma är 80 och dement", Subject.PARENT, 80, "female"),
        ("Pas. 67 år, mann, KOLS grad III", Subject.PATIENT, 67, "male"),
        ("Pt er kvinne 54 med RA", Subject.PATIENT, 54, "female"),
        ("fattern er 75 og har parkinson", Subject.PARENT, 75, "male"),
        ("ongen min på 4 har eksem", Subject.CHILD, 4, None),
        ("ni-åringen vår har diabetes", Subject.CHILD, 9, None),
        ("æ e førrti år å har migrene", Subject.SELF, 40, None),
    ],
)
def test_neighbours_dialects_and_short_forms_say_whose_and_how_old(
    reader: Reader, message: str, subject: Subject, age: float, sex: str | None
) -> None:
    facts = reader.read(message)
    assert (facts.subject, facts.age, facts.sex) == (subject, age, sex)


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        ("smerten er 6 av 10", "pain_nrs", 6),
        ("har vondt 7/10 i kneet", "pain_nrs", 7),
        ("smerte på ein åttar", "pain_nrs", 8),
        ("jeg veier nitti kilo og er en og syttifem høy", "height", 175),
        ("jeg er 170 og veier 95", "height", 170),
        ("langtidssukkeret var sju komma fem", "hba1c", 7.5),
        ("HbA1c 63, eGFR 58", "egfr", 58),
    ],
)
def test_measurements_as_people_say_them(reader: Reader, message: str, name: str, value: float) -> None:
    assert {each.name: each.value for each in reader.read(message).measurements}[name] == value


@pytest.mark.parametrize(
    ("message", "concept", "when"),
    [
        ("kols og tidl. hjerteinfarkt 2019, 67 år", "copd", When.PRESENT),
        ("kols og tidl. hjerteinfarkt 2019, 67 år", "myocardial-infarction", When.PAST),
        ("72yo male with COPD and previous MI", "copd", When.PRESENT),
        ("æ har hatt migrene siden æ va tolv", "migraine", When.PRESENT),
        ("allergisk mot penicillin", "penicillin-allergy", When.PRESENT),
        ("pt. m. DM2, HbA1c 63", "diabetes-type-2", When.PRESENT),
    ],
)
def test_what_is_said_of_one_disease_is_not_said_of_its_neighbour(
    reader: Reader, message: str, concept: str, when: When
) -> None:
    assert {each.concept: each.when for each in reader.read(message).conditions}[concept] is when


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("nei, eller jo litt", Said.YES),
        ("nja, litt", Said.YES),
        ("det har eg vel", Said.YES),
        ("jauda", Said.YES),
        ("hadde før, ikke nå", Said.NO),
        ("ikke som jeg kan huske", Said.NO),
        ("vet da faen", Said.UNKNOWN),
    ],
)
def test_half_answers_are_answers(message: str, said: Said) -> None:
    assert read_answer(message) is said
