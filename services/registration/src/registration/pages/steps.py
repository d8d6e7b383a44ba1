"""What a clerk can book about a residence that is there: each step with its form and the command that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from registration.commands import (
    ChangeNationality,
    ChangeResidenceKind,
    ClarificationForm,
    ClarifyAddress,
    Command,
    DeregisterResidence,
    DeregistrationForm,
    DoubtAddress,
    DoubtForm,
    MoveForm,
    MoveResidence,
    NationalityForm,
    ResidenceKindForm,
)
from registration.domain.states import CommandName, State, allowed
from registration.pages.typed import Sheet
from verbund.service.words import message_id

ADDRESS = ("area", "street", "house_number", "postal_code", "landlord_confirmation", "landlord")


@dataclass(frozen=True, slots=True)
class Step:
    """One form about a residence."""

    name: str
    """In the address of the page."""
    command_name: CommandName
    command: type[Any]
    sheet: Sheet[Any]
    offer: str
    """On the button that leads to the form."""
    title: str
    lead: str
    button: str

    def filed(self, form: Any, residence_id: str) -> Command:
        command: Command = self.command(form=form, residence_id=residence_id)
        return command

    @property
    def places(self) -> bool:
        """Whether it asks for an address."""
        return "street" in self.sheet.fields


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        step.name: step
        for step in (
            Step(
                "move",
                "MoveResidence",
                MoveResidence,
                Sheet(MoveForm, ("moved_on", *ADDRESS), frozenset({"landlord_confirmation"})),
                offer=message_id("Book a move"),
                title=message_id("Book a move"),
                lead=message_id("Within the city. Who leaves the city is deregistered."),
                button=message_id("Book the move"),
            ),
            Step(
                "deregister",
                "DeregisterResidence",
                DeregisterResidence,
                Sheet(DeregistrationForm, ("deregistered_on", "reason")),
                offer=message_id("Deregister"),
                title=message_id("Deregister a residence"),
                lead=message_id(
                    "From the first day without the residence. Ex officio only after a doubt and its inquiry."
                ),
                button=message_id("Book the deregistration"),
            ),
            Step(
                "nationality",
                "ChangeNationality",
                ChangeNationality,
                Sheet(NationalityForm, ("changed_on", "nationality")),
                offer=message_id("Change the nationality"),
                title=message_id("Change the nationality"),
                lead=message_id("After a naturalisation, or when a nationality was lost or gained."),
                button=message_id("Book the change"),
            ),
            Step(
                "kind",
                "ChangeResidenceKind",
                ChangeResidenceKind,
                Sheet(ResidenceKindForm, ("changed_on", "residence_kind")),
                offer=message_id("Change the kind of residence"),
                title=message_id("Change the kind of residence"),
                lead=message_id(
                    "Where two residences change places: first book the one that becomes the secondary one."
                ),
                button=message_id("Book the change"),
            ),
            Step(
                "doubt",
                "DoubtAddress",
                DoubtAddress,
                Sheet(DoubtForm, ("doubted_on", "doubt_reason")),
                offer=message_id("Doubt the address"),
                title=message_id("Doubt the address"),
                lead=message_id(
                    "Something tells that the person does not live there any more: the inquiry begins (§ 6 BMG)."
                ),
                button=message_id("Book the doubt"),
            ),
            Step(
                "confirm",
                "ClarifyAddress",
                ClarifyAddress,
                Sheet(ClarificationForm, ("confirmed_on",)),
                offer=message_id("Confirm the address"),
                title=message_id("Confirm the address"),
                lead=message_id("The inquiry found the person there: the doubt is over."),
                button=message_id("Book the confirmation"),
            ),
        )
    }
)
"""By their place in the address of a page, in the order in which they are offered."""


def steps_in(state: State) -> list[Step]:
    """What can be booked about a residence in this state."""
    return [step for step in STEPS.values() if step.command_name in allowed(state)]
