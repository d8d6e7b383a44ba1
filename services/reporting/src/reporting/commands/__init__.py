"""What reporting is asked to book."""

from reporting.commands.alerts import AcknowledgeAlert, EndAlert, RaiseAlert, RemoveThreshold, SetThreshold
from reporting.commands.deliveries import (
    DeliverFigure,
    FinaliseFigure,
    KeepFigure,
    ReviseFigure,
    TakeInFigures,
    WithdrawFigure,
)
from reporting.commands.editions import FreezeEdition, WithdrawEdition
from reporting.commands.notes import ReviseNote, WithdrawNote, WriteNote
from reporting.commands.targets import SetTarget, WithdrawTarget

Command = (
    DeliverFigure
    | ReviseFigure
    | TakeInFigures
    | KeepFigure
    | FinaliseFigure
    | WithdrawFigure
    | FreezeEdition
    | WithdrawEdition
    | WriteNote
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
