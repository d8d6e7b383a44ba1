"""What is asked of the book of notes. A note marks a series: what was different in this time, and why."""

from dataclasses import dataclass, field

from reporting.commands.forms import BothLanguages, Form, ScopeForm, new_pseudonym
from verbund.events.days import Day
from verbund.events.reporting.alerts import WatchedBy
from verbund.events.reporting.notes import AuthorRole


class NoteForm(ScopeForm):
    """A note on an indicator, or on one value of a breakdown."""

    from_on: Day
    to_on: Day | None = None
    """The last day that it is about; left out while it goes on."""
    words: BothLanguages


class RevisionForm(Form):
    """What the note says from now on, about the same figure."""

    from_on: Day
    to_on: Day | None = None
    words: BothLanguages


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNote:
    """Put a note to a series."""

    form: NoteForm
    author_role: AuthorRole
    seen_by: WatchedBy
    """With whose eyes the author sees figures."""
    note_id: str = field(default_factory=new_pseudonym)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseNote:
    """Change the time or the words of a note."""

    form: RevisionForm
    author_role: AuthorRole
    seen_by: WatchedBy
    note_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawNote:
    """Take a note back."""

    seen_by: WatchedBy
    note_id: str
