"""Every error that Studievei raises on purpose.

StudieveiError
├── BadInput        what a person or a script handed us cannot be used
│   └── BadRecord   one registry record; the import reports it and goes on
├── Unavailable     something outside (a server, a folder, a package) does not answer
└── Mismatch        two things that must belong together do not (an index and its encoder)
"""


class StudieveiError(Exception):
    """Base of the tree. The message says what is wrong and what mends it."""


class BadInput(StudieveiError):
    """The input cannot be used as it is."""


class BadRecord(BadInput):
    """One record could not be read; the others still can."""


class Unavailable(StudieveiError):
    """Something outside this process did not answer or does not exist."""


class Mismatch(StudieveiError):
    """Two stored things do not belong together."""
