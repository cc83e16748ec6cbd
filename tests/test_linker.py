from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology.concept import OTHER_TABLES, FormKind, load_ontology
from ontology.linker import How, Linker
from ontology.table import read_roles
from ontology.words import plain, stem, words

LINKER = Linker(load_ontology())


def linked(text: str, *, forgiving: bool = True) -> list[tuple[str, How]]:
    return [(mention.concept, mention.how) for mention in LINKER.link(text, forgiving=forgiving)]


@pytest.mark.parametrize(
    ("text", "concept", "how"),
    [
        ("sukkersyke", "diabetes", How.EXACT),
        ("Hva med Sukkersyke?", "diabetes", How.EXACT),
        ("hoyt blodtrykk", "hypertension", How.EXACT),
        ("hoeyt blodtrykk", "hypertension", How.EXACT),
        ("högt blodtryck", "hypertension", How.EXACT),
        ("Diabetes Mellitus, Type 2", "diabetes-type-2", How.EXACT),
        ("type2 diabetes", "diabetes-type-2", How.EXACT),
        ("Alzheimer’s disease", "alzheimer", How.EXACT),
        ("diabetikere", "diabetes", How.INFLECTED),
        ("leddgikta mi", "rheumatoid-arthritis", How.INFLECTED),
        ("astmaen er verre", "asthma", How.INFLECTED),
        ("atrieflimmeren", "atrial-fibrillation", How.INFLECTED),
        ("brystkreftstudie", "breast-cancer", How.COMPOUND),
        ("hjertesviktpasientene", "heart-failure", How.COMPOUND),
        ("depresjonsbehandling", "depression", How.COMPOUND),
        ("menneskediabetes", "diabetes", How.COMPOUND),
        ("rottesjuke", "leptospirosis", How.EXACT),
        ("mellomgulvslamming", "diaphragm-paralysis", How.EXACT),
        ("augesvulstar", "eye-cancer", How.INFLECTED),
        ("tarm kreft", "colorectal-cancer", How.SPLIT),
        ("hjerte svikt", "heart-failure", How.SPLIT),
        ("diabetis", "diabetes", How.MISSPELT),
        ("allsheimer", "alzheimer", How.MISSPELT),
        ("psioriasis", "psoriasis", How.MISSPELT),
        ("høyt blotrykk", "hypertension", How.MISSPELT),
        ("multipel sklerrose", "multiple-sclerosis", How.MISSPELT),
        ("lungge kreft", "lung-cancer", How.MISSPELT),
        ("jeg har MS", "multiple-sclerosis", How.ABBREVIATION),
        ("ms", "multiple-sclerosis", How.ABBREVIATION),
        ("mannen min har ms, finnes det håp", "multiple-sclerosis", How.ABBREVIATION),
        ("hendene mine skjelver", "tremor", How.PHRASE),
        ("invasiv E. coli-sykdom", "ecoli-infection", How.EXACT),
        ("høyt lipoprotein(a)", "elevated-lipoprotein-a", How.EXACT),
        ("STI-test", "sexually-transmitted-infection", How.ABBREVIATION),
        ("har sår på leggen", "leg-ulcer", How.EXACT),
        ("urinveisinfeksion", "urinary-tract-infection", How.MISSPELT),
        ("förmaksflimer", "atrial-fibrillation", How.INFLECTED),
        ("æ har så vondt i hovve", "headache", How.INFLECTED),
        ("tisser enda på seg om natta", "enuresis", How.PHRASE),
    ],
)
def test_everyday_spellings_reach_their_concept(text: str, concept: str, how: How) -> None:
    assert linked(text)[:1] == [(concept, how)]


@pytest.mark.parametrize(
    "text",
    [
        "slagord", "kreftens dag", "lungemos", "hvordan går det", "slag i sjakk", "som as", "jeg klarer ikke",
        "det er ms igjen på klokka",
        "HVA ER DET SOM ER SÅ RART MED DEG OG MEG", "kan jeg delta i flere studier", "bilen står i garasjen",
        "hvem får lese svarene mine", "jeg liker hester og katter", "husleie og strøm", "", "?!", "54",
        "barnet begynte på skolen", "det varte i tre timar og har vorte betre", "legger du deg på senga",
        "hun kutter løk", "forskjellen på skjell og skall", "se hit, han bor i et hus", "på en sti", "menyen",
        "Oscar og Stine fra Geilo", "vi reiste til Paris", "vannkraft og arbeidskraft", "knudsen",
        "en fødselsdag for eksempel", "jeg leste om det i går", "assistenten", "om ska det bli",
        "hodepine for regjeringen", "virus på pcen",
    ],
)  # fmt: skip
def test_ordinary_words_never_become_diseases(text: str) -> None:
    assert linked(text) == []


@pytest.mark.parametrize("text", ["asthma are", "the table", "disabling and doubling", "non-diabetic host"])
def test_english_words_are_not_read_as_norwegian_compounds(text: str) -> None:
    found = {mention.concept for mention in LINKER.link(text, "en")}
    assert found <= {"asthma", "diabetes"}
    assert all(mention.matched in ("asthma", "diabetic") for mention in LINKER.link(text, "en"))


def test_an_undoing_prefix_makes_no_compound() -> None:
    assert linked("antidiabetes og ikkekreft") == []


def test_a_phrase_takes_the_place_of_a_name_that_is_a_part_of_it() -> None:
    assert [each for each, _ in linked("gravid og høyt blodsukker")] == ["gestational-diabetes"]
    assert "cryptorchidism" not in [each for each, _ in linked("falt ned fra taket og kan ikke gå")]


def test_a_disease_comes_before_complaints_and_circumstances() -> None:
    assert linked("feber og hoste, trolig lungebetennelse")[0][0] == "pneumonia"
    assert linked("gravid med psoriasis")[0][0] == "psoriasis"


def test_a_procedure_speaks_of_what_it_treats() -> None:
    assert "E10" in load_ontology().codes(linked("insulinpumpebehandling")[0][0])


def test_the_longest_and_most_specific_wins() -> None:
    assert linked("diabetes type 2") == [("diabetes-type-2", How.EXACT)]
    assert [each for each, _ in linked("kreft, nærmere bestemt lungekreft")] == ["lung-cancer", "cancer"]


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("ikke diabetes", {"diabetes"}),
        ("eg har ikkje diabetes", {"diabetes"}),
        ("no history of asthma or migraine", {"asthma", "migraine"}),
        ("uten hjertesvikt, men har astma", {"heart-failure"}),
        ("ingen diabetes. Har psoriasis", {"diabetes"}),
        ("ikke bare diabetes", set()),
        ("vet ikke om jeg har migrene", set()),
        ("finnes det ikke noe mot migrene", set()),
    ],
)
def test_denial_is_marked_and_comes_last(text: str, denied: set[str]) -> None:
    mentions = LINKER.link(text)
    assert {each.concept for each in mentions if each.negated} == denied
    assert [each.negated for each in mentions] == sorted(each.negated for each in mentions)


@pytest.mark.parametrize(
    ("text", "of_family"),
    [
        ("moren min har alzheimers", True),
        ("my mother has asthma", True),
        ("brystkreft i familien", True),
        ("sønnen vår fikk diabetes", True),
        ("jeg har migrene", False),
        ("mor er frisk. Har selv migrene", False),
        ("moren min mener at jeg har migrene", False),
    ],
)
def test_relatives_are_marked(text: str, of_family: bool) -> None:
    assert [mention.family for mention in LINKER.link(text)] == [of_family]


def test_registry_text_is_read_without_guessing() -> None:
    assert linked("patients with diabetis and ms", forgiving=False) == []
    assert linked("RRMS or MS with asthma", forgiving=False) == [
        ("asthma", How.EXACT),
        ("multiple-sclerosis", How.ABBREVIATION),
        ("multiple-sclerosis", How.ABBREVIATION),
    ]


def test_language_settles_what_a_form_means(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hospital")
    header = OTHER_TABLES["procedures.tsv"][1].split()
    rows = [
        [
            "gift-wrapping",
            "-",
            "innpakking",
            "innpakking",
            "gift wrapping",
            "-",
            "-",
            "zonk",
            "-",
            "Blod",
            "-",
        ],
        ["poisoning-test", "-", "giftprøve", "giftprøve", "poison test", "zonk", "-", "-", "-", "Blod", "-"],
    ]
    text = "".join("\t".join(row) + "\n" for row in [header, *rows])
    (folder / "procedures.tsv").write_text(text, "utf-8")
    linker = Linker(load_ontology(folder))
    assert [each.concept for each in linker.link("zonk", "en")] == ["gift-wrapping"]
    assert [each.concept for each in linker.link("zonk", "nn")] == ["poisoning-test"]
    first, second = linker.link("zonk")
    assert (first.start, first.end) == (second.start, second.end)
    assert first.score > second.score


def test_every_name_finds_its_own_concept() -> None:
    ontology = load_ontology()
    told = read_roles(files("ontology") / "ordinary.tsv")["told"]
    lost = [
        (concept.id, form.text)
        for concept in ontology.concepts.values()
        for form in concept.forms
        if form.kind in (FormKind.NAME, FormKind.SYNONYM)
        and concept.id
        not in {mention.concept for mention in LINKER.link(form.text, forgiving=form.text.casefold() in told)}
    ]
    assert lost == []


PIECES = "ikke diabetes hjerte svikt, MS prostata kreft . moren blå æ \x00 𝒳 leddgikta 12 eller\n"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES.split(" ")), max_size=12))
def test_mentions_stand_where_they_say(pieces: list[str]) -> None:
    text = " ".join(pieces)
    mentions = LINKER.link(text)
    assert mentions == LINKER.link(text)
    spans = sorted({(each.start, each.end) for each in mentions})
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    for each in mentions:
        assert text[each.start : each.end] == each.matched
        assert 0 < each.score <= 1


@given(st.text(max_size=60))
def test_words_lie_in_the_text_in_order(text: str) -> None:
    found = words(text)
    assert all(text[word.start : word.end] == word.text for word in found)
    assert [word.start for word in found] == sorted(word.start for word in found)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzæøåäöé", min_size=1, max_size=15))
def test_keys_do_not_depend_on_case(word: str) -> None:
    assert plain(word.upper()) == plain(word)
    assert stem(word.upper()) == stem(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [("sykdom", "sykdommene"), ("allergy", "allergier"), ("migrene", "migrenen"), ("nyre", "nyrer"),
     ("diabetiker", "diabetikere"), ("feber", "feberen"), ("leukemi", "leukemien"), ("kols", "kolsen")],
)  # fmt: skip
def test_inflected_words_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("blod når jeg tørker meg", "hemorrhoids"),
        ("skjell på albuene", "psoriasis"),
        ("redd for å gå på butikken", "agoraphobia"),
        ("nyrene virker bare 20 prosent", "chronic-kidney-disease"),
        ("hair growing on my chin as a woman", "pcos"),
    ],
)
def test_what_a_text_describes_is_guessed_only_when_asked_for(text: str, concept: str) -> None:
    assert concept not in [mention.concept for mention in LINKER.link(text)]
    described = {mention.concept: mention.how for mention in LINKER.link(text, describing=True)}
    assert described[concept] is How.DESCRIBED


@pytest.mark.parametrize(
    "text",
    [
        "hva koster det å være med",
        "bilen min starter ikke når det er kaldt",
        "brystkreft",
        "is it safe",
        "jeg mistet hodet",
    ],
)
def test_nothing_is_described_where_nothing_is_told(text: str) -> None:
    assert LINKER.link(text, describing=True) == LINKER.link(text)


def test_what_the_tables_know_of_the_same_words_is_believed_more() -> None:
    first, *others = LINKER.link("stive fingre om morgenen", describing=True)
    assert first.concept == "rheumatoid-arthritis"
    assert others
    assert all(each.score < first.score for each in others)


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("lever- og nyresykdom", {"liver-disease", "kidney-disease"}),
        ("hjerte-, lunge- eller nyresykdom", {"heart-disease", "lung-disease", "kidney-disease"}),
        ("hofte- eller kneleddsartrose", {"hip-osteoarthritis", "knee-osteoarthritis"}),
        ("cardiac, hepatic or renal disease", {"heart-disease", "liver-disease", "kidney-disease"}),
        ("atrial fibrillation or flutter", {"atrial-fibrillation", "atrial-flutter"}),
        ("type 1 or type 2 diabetes", {"diabetes-type-1", "diabetes-type-2"}),
        ("hypo- or hyperthyroidism", {"hypothyroidism", "hyperthyroidism"}),
    ],
)
def test_names_in_registers_share_parts(text: str, concepts: set[str]) -> None:
    found = LINKER.link(text, forgiving=False)
    assert {mention.concept for mention in found} == concepts
    assert all(text[mention.start : mention.end] == mention.matched for mention in found)


@pytest.mark.parametrize(
    "text", ["an investigational device", "consumption of fish", "skala 0-10", "severe disease"]
)
def test_words_of_registers_never_become_diseases_by_chance(text: str) -> None:
    assert LINKER.link(text, forgiving=False) == ()
