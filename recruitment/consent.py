"""What a person says yes to: the text before, the Consent after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ontology.wording import say
from registry.study import Study

RETENTION = timedelta(days=90)
"""How long the consent text says that we keep things, after the last message between person and study."""

_SECTIONS = ("what", "whom", "why", "how_long", "withdraw")


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The text as shown: a title and (heading, paragraph) sections. `version` names the wording."""

    version: str
    language: str
    title: str
    sections: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The whole text, plain."""
        return "\n\n".join([self.title, *(f"{heading}\n{paragraph}" for heading, paragraph in self.sections)])


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody said yes to the text of this version, in this language, at this moment."""

    version: str
    language: str
    given_at: datetime


def consent_text(study: Study, language: str) -> ConsentText:
    """What is sent, to whom, why, for how long, and how to withdraw, in nb, nn or en."""
    values = {
        "title": study.title,
        "study_id": study.id,
        "mailbox": study.mailbox,
        "days": RETENTION.days,
    }
    return ConsentText(
        version=current_version(),
        language=language,
        title=say("consent.title", language),
        sections=tuple(
            (say(f"consent.{name}_heading", language), say(f"consent.{name}", language, **values))
            for name in _SECTIONS
        ),
    )


def current_version() -> str:
    """The version of the wording in the catalogue; raised whenever the wording changes."""
    return say("consent.version", "nb")
