"""What a person says yes to: the text before, the Consent after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select

from ontology.errors import BadInput
from ontology.wording import say
from recruitment.tables import retention
from registry.database import reading, writing
from registry.study import Study

RETENTION = timedelta(days=90)
"""How long we keep things after the last message between person and study, unless the study says so."""

LONGEST_DAYS = 365
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


def consent_text(study: Study, language: str, days: int = RETENTION.days) -> ConsentText:
    """What is sent, to whom, why, for how many days, and how to withdraw, in nb, nn or en."""
    values = {"title": study.title, "study_id": study.id, "mailbox": study.mailbox, "days": days}
    return ConsentText(
        version=current_version(days),
        language=language,
        title=say("consent.title", language),
        sections=tuple(
            (say(f"consent.{name}_heading", language), say(f"consent.{name}", language, **values))
            for name in _SECTIONS
        ),
    )


def current_version(days: int = RETENTION.days) -> str:
    """The version of the wording in the catalogue, which is raised whenever the wording changes.

    Another number of days than the usual is part of it: it is another promise.
    """
    version = say("consent.version", "nb")
    return version if days == RETENTION.days else f"{version} {days} days"


def retention_days(engine: Engine, study_id: str) -> int:
    """How many days the interests of a study are kept after the last message."""
    asked = select(retention.c.days).where(retention.c.study_id == study_id)
    with reading(engine) as connection:
        return connection.execute(asked).scalar_one_or_none() or RETENTION.days


def set_retention_days(engine: Engine, study_id: str, days: int) -> None:
    """For interests sent from now on; those sent before are kept as their consent says.

    Raises:
        BadInput: not 1 to 365 days.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(f"Interests can be kept from 1 to {LONGEST_DAYS} days.")
    with writing(engine) as connection:
        connection.execute(delete(retention).where(retention.c.study_id == study_id))
        connection.execute(insert(retention).values(study_id=study_id, days=days))
