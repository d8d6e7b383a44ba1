"""The books that reporting itself keeps, and the one desk over which everything that it books goes."""

from reporting.books.book import Book
from reporting.books.rules import InBook, ReportingRules

__all__ = ["Book", "InBook", "ReportingRules"]
