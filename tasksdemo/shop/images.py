"""Product pictures."""

import struct

from tasksdemo.shop.pace import work

PNG_HEADER = struct.Struct(">8sI4sII")
CORRUPT = b"\x89PNG\r\n\x1a\n\x00\x00"


class UnidentifiedImageError(OSError):
    """Not a picture, or half of one."""


def resize(image_id: int, size: str, *, simulate: str = "") -> dict[str, object]:
    """Make a picture of `size` ("800x800"): {"path", "bytes"}. `simulate="corrupt"`: UnidentifiedImageError."""
    if simulate == "corrupt":
        _header_of(CORRUPT, image_id)
    seconds = work(0.25, longest=4.0)
    return {"path": f"thumbnails/{size}/{image_id}.webp", "bytes": int(40_000 * seconds)}


def _header_of(content: bytes, image_id: int) -> tuple[object, ...]:
    try:
        return PNG_HEADER.unpack_from(content)
    except struct.error as error:
        raise UnidentifiedImageError(f"cannot identify image file {image_id}.png") from error
