"""What reporting is asked to book."""

from reporting.commands.editions import FreezeEdition, WithdrawEdition

Command = FreezeEdition | WithdrawEdition
"""All of them, of all books."""
