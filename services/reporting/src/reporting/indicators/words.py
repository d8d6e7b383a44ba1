"""Words of the catalogue, in each language that figures are shown in."""

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """What every entry of the catalogue is: fixed once read, and an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Model):
    """One text in German and in English."""

    de: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def say(self, language: str) -> str:
        """The text in `language` (`de`, `en`); German where there is no such language."""
        return self.en if language == "en" else self.de
