"""The image: what the cube of a municipality holds, in columns in the memory of this process, for questions."""

from reporting.image.image import Image, Moment
from reporting.image.reading import Front, Fronts, Reading, Row

__all__ = ["Front", "Fronts", "Image", "Moment", "Reading", "Row"]
