"""Who is interested and how to reach them: what was typed in, a checked Person out."""

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum

from ontology.errors import BadInput
from ontology.wording import say

# The address syntax of the HTML standard (input type=email), with at least one dot in the domain.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")
_PHONE = re.compile(r"\+?[0-9]{8,15}")
_EMAIL_LENGTH = 254
_NAME_LENGTH = 200


class Sender(StrEnum):
    """Who writes: the person it is about, or somebody with their consent; a parent decides for a child."""

    SELF = "self"
    RELATIVE = "relative"
    CLINICIAN = "clinician"


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Contact details of the one who writes; at least one of e-mail and phone.

    Has no repr, so that no log can show it.
    """

    email: str = ""
    phone: str = ""
    name: str = ""
    sender: Sender = Sender.SELF


def checked(person: Person, language: str) -> Person:
    """The same person with tidy fields.

    Raises:
        BadInput: neither e-mail nor phone, or a field that cannot be one; said in `language`.
    """
    tidy = replace(
        person,
        email=checked_email(person.email, language) if person.email.strip() else "",
        phone=_checked_phone(person.phone, language) if person.phone.strip() else "",
        name=checked_name(person.name, language),
    )
    if not (tidy.email or tidy.phone):
        raise BadInput(say("interest.no_contact", language))
    return tidy


def checked_email(text: str, language: str) -> str:
    """An address that is safe in a mail header; a domain with letters like ø is written in its ASCII form.

    Raises:
        BadInput: not one plain address.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        address = ""
    if len(address) > _EMAIL_LENGTH or not _EMAIL.fullmatch(address):
        raise BadInput(say("interest.bad_email", language))
    return address


def _checked_phone(text: str, language: str) -> str:
    digits = re.sub(r"[\s().-]", "", text)
    if not _PHONE.fullmatch(digits):
        raise BadInput(say("interest.bad_phone", language))
    return digits


def checked_name(text: str, language: str) -> str:
    """A name that can be shown, "" for none.

    Raises:
        BadInput: too long, or with characters that are none.
    """
    name = text.strip()
    if len(name) > _NAME_LENGTH or any(unicodedata.category(letter) in _UNPRINTABLE for letter in name):
        raise BadInput(say("interest.bad_name", language))
    return unicodedata.normalize("NFC", name)


_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
