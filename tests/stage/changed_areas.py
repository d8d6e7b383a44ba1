"""Dortmund with areas that were split, merged and drawn anew, as a catalogue in a folder."""

import shutil
from importlib.resources import files
from pathlib import Path

CITY = "05913000"
# 05 is split over two districts; 07 and 09 become one; 01 is split, and nobody says how; of 08 some goes to 00.
ENDED = {
    "01": "2016-12-31",
    "05": "2017-12-31",
    "07": "2018-12-31",
    "09": "2018-12-31",
}
NEW = (
    "01a,Westfalenhalle-Nord,statistischer_bezirk,SB01,2017-01-01,\n"
    "01b,Westfalenhalle-Süd,statistischer_bezirk,SB01,2017-01-01,\n"
    "05a,Nordmarkt-Süd,statistischer_bezirk,SB02,2018-01-01,\n"
    "05b,Nordmarkt-Ost,statistischer_bezirk,SB03,2018-01-01,\n"
    "07x,Kaiserbrunnen-Ruhrallee,statistischer_bezirk,SB03,2019-01-01,\n"
)
HEAD = "changed_on,former,new,share,share_back,source_de,source_en\n"
SOURCE = "nach Einwohnern am Tag davor,by residents on the day before"
CHANGES = (
    "2016-07-01,08,08,0.9,1,{s}\n"
    "2016-07-01,08,00,0.1,0.2,{s}\n"
    "2016-07-01,00,00,1,0.8,{s}\n"
    "2017-01-01,01,01a,,,,\n"
    "2017-01-01,01,01b,,,,\n"
    "2018-01-01,05,05a,2/5,1,{s}\n"
    "2018-01-01,05,05b,3/5,1,{s}\n"
    "2019-01-01,07,07x,1,0.25,{s}\n"
    "2019-01-01,09,07x,1,0.75,{s}\n"
).replace("{s}", SOURCE)


def catalogue_in(folder: Path, changes: str = HEAD + CHANGES, further: str = "") -> Path:
    """A catalogue in `folder/catalogue`, with this list of changes and these further areas."""
    made = folder / "catalogue"
    shutil.copytree(str(files("reporting") / "catalogue"), made)
    shutil.rmtree(made / CITY / "geometry")  # the new areas are on no map
    place = made / CITY / "areas.csv"
    head, *lines = place.read_text(encoding="utf-8").splitlines()
    ended = [f"{line},{ENDED.get(line.partition(',')[0], '')}" for line in lines]
    place.write_text("\n".join([f"{head},valid_until", *ended]) + "\n" + NEW + further, encoding="utf-8")
    (made / CITY / "area_changes.csv").write_text(changes, encoding="utf-8")
    return made
