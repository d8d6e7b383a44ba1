"""What reporting is asked to book."""

from reporting.commands.deliveries import (
    DeliverFigure,
    FinaliseFigure,
    KeepFigure,
    ReviseFigure,
    TakeInFigures,
    WithdrawFigure,
)

Command = DeliverFigure | ReviseFigure | TakeInFigures | KeepFigure | FinaliseFigure | WithdrawFigure
"""Everything that can be asked for."""
