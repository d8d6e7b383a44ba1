"""Style sheets, scripts and pictures: served by ourselves, named by their content, kept by browsers for a year."""

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type
from pathlib import PurePosixPath

from fastapi import Request, Response

from verbund.errors import NotFound

FOREVER = "public, max-age=31536000, immutable"
_SMALL = 1_000  # bytes; below it the gzip header costs more than packing saves


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    name: str
    content: bytes
    packed: bytes | None
    digest: str
    media_type: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "Asset":
        kind = guess_type(name)[0] or "application/octet-stream"
        media_type = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        packed = gzip.compress(content, 9, mtime=0) if len(content) > _SMALL else None
        return cls(name, content, packed, sha256(content).hexdigest()[:16], media_type)

    @property
    def address(self) -> str:
        """`style.css` -> `/assets/style-0a1b2c....css`: another content is another address."""
        path = PurePosixPath(self.name)
        return f"/assets/{path.stem}-{self.digest}{path.suffix}"


@dataclass(slots=True)
class Assets:
    """All files of one office's pages. What is `made` is made at its first use (the drawing library takes a second)."""

    packages: Iterable[str]
    made: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    _loaded: dict[str, Asset] = field(default_factory=dict)

    def get(self, name: str) -> Asset:
        """The asset of this name, of the first package that has it; raises `LookupError`."""
        if name not in self._loaded:
            self._loaded[name] = Asset.of(name, self._read(name))
        return self._loaded[name]

    def _read(self, name: str) -> bytes:
        if name in self.made:
            return self.made[name]()
        if PurePosixPath(name).name == name:  # no folders: nothing outside the packages' `static` is ever named
            for package in self.packages:
                file = files(package).joinpath("static", name)
                if file.is_file():
                    return file.read_bytes()
        raise LookupError(f"no asset {name!r}")

    def answer(self, request: Request, hashed_name: str) -> Response:
        """The file for an address made by `Asset.address`; an address of another content gets today's, not kept."""
        path = PurePosixPath(hashed_name)
        stem, _, digest = path.stem.rpartition("-")
        try:
            asset = self.get(f"{stem}{path.suffix}")
        except LookupError:
            raise NotFound("not_found", "There is nothing at this address.") from None
        headers = {
            "Cache-Control": FOREVER if digest == asset.digest else "no-cache",
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(asset.content, media_type=asset.media_type, headers=headers)
