"""What the chat says, as values that any face (web, terminal, machine) can show."""

from dataclasses import dataclass
from enum import StrEnum

from chatbot.safety import Label


class Kind(StrEnum):
    """What a passage is, for the face that shows it."""

    TEXT = "text"
    HEADING = "heading"
    ALERT = "alert"
    STUDY = "study"
    CRITERION = "criterion"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Passage:
    """Plain text, never markup. `note` stands under it (a status, a finding), `link` is where it leads."""

    text: str
    kind: Kind = Kind.TEXT
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reply that the person can choose instead of writing: what it is called, and what it says."""

    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn of the chat.

    `question` is what the suggestions answer, `asks` the variable that it fills. `heard` is the person's
    own message as it may be shown: private numbers masked.
    """

    passages: tuple[Passage, ...]
    suggestions: tuple[Suggestion, ...] = ()
    question: str = ""
    asks: str | None = None
    heard: str = ""
    safety: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole turn as plain text."""
        return "\n\n".join("\n".join(filter(None, (p.text, p.note, p.link))) for p in self.passages)
