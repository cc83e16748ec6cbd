"""The Health Research Classification System's health categories, as Norwegian registers write them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """One health category: the table that holds its concepts, its Norwegian label and its HRCS name."""

    table: str
    label: str
    english: str


CATEGORIES = (
    Category("inflammatory_immune", "Betennelse og immunsystem", "Inflammatory and immune system"),
    Category("blood", "Blod", "Blood"),
    Category("reproductive", "Forplantning og fødsel", "Reproductive health and childbirth"),
    Category("generic", "Generell helserelevans", "Generic health relevance"),
    Category("neurological", "Hjernen og nervesystemet", "Neurological"),
    Category("stroke", "Hjerneslag", "Stroke"),
    Category("cardiovascular", "Hjerte og kar", "Cardiovascular"),
    Category("skin", "Hud", "Skin"),
    Category("infection", "Infeksjon", "Infection"),
    Category("cancer", "Kreft", "Cancer and neoplasms"),
    Category("respiratory", "Lunger og luftveier", "Respiratory"),
    Category("congenital", "Medfødte lidelser", "Congenital disorders"),
    Category("mental", "Mental helse", "Mental health"),
    Category("oral_gastrointestinal", "Munnhule, mage og tarm", "Oral and gastrointestinal"),
    Category("musculoskeletal", "Muskulatur og skjelett", "Musculoskeletal"),
    Category("renal_urogenital", "Nyrer, urinveier og kjønnsorgan", "Renal and urogenital"),
    Category("injuries", "Skader og ulykker", "Injuries and accidents"),
    Category("metabolic_endocrine", "Stoffskifte og hormoner", "Metabolic and endocrine"),
    Category("ear", "Øre", "Ear"),
    Category("eye", "Øye", "Eye"),
    Category("", "Annet", "Other"),
)

LABELS = frozenset(category.label for category in CATEGORIES)
TABLE_LABELS = {category.table: category.label for category in CATEGORIES if category.table}


def english(label: str) -> str:
    """The HRCS name of a Norwegian label; an unknown label is returned as it stands."""
    return _ENGLISH.get(label, label)


def canonical(label: str) -> str | None:
    """The label as this project writes it, whatever commas and capitals the source used; None if unknown."""
    return _BY_WORDS.get(_words(label))


def _words(label: str) -> str:
    return " ".join(label.replace(",", " ").casefold().split())


_ENGLISH = {category.label: category.english for category in CATEGORIES}
_BY_WORDS = {
    _words(name): category.label for category in CATEGORIES for name in (category.label, category.english)
} | {"nevrologisk": "Hjernen og nervesystemet"}
