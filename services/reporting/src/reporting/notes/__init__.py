"""The book of notes: what was different in a time of a series, and why, in both languages."""

from reporting.notes.reading import ListedNote, get_note, list_notes
from reporting.notes.rules import NotesBook

__all__ = ["ListedNote", "NotesBook", "get_note", "list_notes"]
