"""The folder of a city as it would be, looked through before anything of it is put in place."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from reporting.indicators.area_files import MAPS, read_territory
from reporting.indicators.catalogue_files import read_catalogue

_REST = ("nationality_groups.csv", "age_bands.csv")


class Staged:
    """A copy of a catalogue in which files of one city are exchanged; `put_in_place` gives them to the catalogue."""

    def __init__(self, municipality: str, into: Path) -> None:
        self.municipality, self.into = municipality, into
        self._given: dict[str, Path] = {}

    def __enter__(self) -> "Staged":
        self._scratch = TemporaryDirectory(prefix="verbund-catalogue-")
        self._folder = Path(self._scratch.name) / "catalogue"
        shutil.copytree(self.into, self._folder)
        self.city.mkdir(exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._scratch.cleanup()

    @property
    def city(self) -> Path:
        return self._folder / self.municipality

    def put(self, name: str, given: Path) -> None:
        """Take a file as it is."""
        self.put_text(name, given.read_bytes(), given)

    def put_text(self, name: str, text: str | bytes, given: Path) -> None:
        """Take what was made of a file; mistakes in it are told of that file."""
        place = self.city / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        self._given[name] = given

    def check(self, levels: Collection[str], *, maps_too: bool) -> None:
        """Raises `BadCatalogue`: the areas with all that depends on them; where the rest of the city is there, all."""
        if not maps_too:
            hidden = self.city / MAPS
            aside = hidden.with_name(f"{MAPS}-aside")
            if hidden.is_dir():
                hidden.rename(aside)
            try:
                read_territory(self.municipality, self.city, levels)
            finally:
                if aside.is_dir():
                    aside.rename(hidden)
            return
        read_territory(self.municipality, self.city, levels)
        if all((self.city / name).is_file() for name in _REST):
            read_catalogue(self.municipality, self._folder)

    def in_words(self, problems: str) -> str:
        """The same with the names of the files that were given, and of those in the catalogue."""
        for name, given in self._given.items():
            problems = problems.replace(str(self.city / name), str(given))
        return problems.replace(str(self._folder), str(self.into))

    @property
    def changed(self) -> list[str]:
        """The files that differ from those in the catalogue."""
        own = self.into / self.municipality
        return [
            name
            for name in self._given
            if not (own / name).is_file() or (own / name).read_bytes() != (self.city / name).read_bytes()
        ]

    def put_in_place(self) -> None:
        """Each file is there as before or as a whole, whenever the power fails: written beside it, then renamed."""
        own, waiting = self.into / self.municipality, []
        for name in self.changed:
            place = own / name
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_name(f".{place.name}.new")
            with beside.open("wb") as file:
                file.write((self.city / name).read_bytes())
                file.flush()
                os.fsync(file.fileno())
            waiting.append((beside, place))
        for beside, place in waiting:
            beside.replace(place)
