"""What reporting is asked to book."""

from reporting.commands.alerts import AcknowledgeAlert, EndAlert, RaiseAlert, RemoveThreshold, SetThreshold
from reporting.commands.notes import ReviseNote, WithdrawNote, WriteNote
from reporting.commands.targets import SetTarget, WithdrawTarget

Command = (
    WriteNote
    | ReviseNote
    | WithdrawNote
    | SetTarget
    | WithdrawTarget
    | SetThreshold
    | RemoveThreshold
    | RaiseAlert
    | EndAlert
    | AcknowledgeAlert
)
"""Every command of every book."""
