"""Pictures as they may be shown: without EXIF and whatever else is no picture, with a small preview. Pure.

A bomb and a broken picture are faults of the file (`PictureFault`). Pillow meets foreign bytes here: any exception of
it is such a fault.
"""

from __future__ import annotations

import math
import warnings
from io import BytesIO
from typing import Any, NamedTuple

from PIL import ExifTags, Image, ImageOps, ImageSequence, UnidentifiedImageError

MAX_PIXELS = 64_000_000
"""Of all frames together; an RGB picture of that size takes 192 MB of memory."""
PREVIEW = (480, 480)
"""Pixels at most."""
QUALITY, PREVIEW_QUALITY = 90, 75
_WRITTEN = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "BMP": "PNG", "TIFF": "PNG", "GIF": "GIF", "WEBP": "WEBP"}
"""The formats that are read, and as what each is shown."""
_OPENED = tuple(_WRITTEN.keys() - {"MPO"})
"""Pillow finds an MPO (several pictures, as some telephones write) where it opens a JPEG."""
_MODES = {"JPEG": {"L", "RGB"}, "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}, "WEBP": {"RGB", "RGBA"}}
_KEPT = ("icc_profile", "transparency", "duration", "loop")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""What rights a picture of each EXIF orientation."""
_FIRST_BYTES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif"})
Image.init()  # `open` does not load the plugins of the formats that it is given
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureFault(Exception):  # noqa: N818 - a fault of the file, not an error of ours
    """The picture cannot be shown; the text is a code."""


class Picture(NamedTuple):
    """What may be seen of a picture."""

    shown: bytes
    media_type: str
    preview: bytes
    """JPEG."""
    position: tuple[float, float] | None
    """Degrees north and east, as its EXIF says."""


def is_picture(body: bytes, media_type: str | None) -> bool:
    """Is this a picture, by its first bytes or by what the channel said?"""
    webp = body[:4] == b"RIFF" and body[8:12] == b"WEBP"
    brand = body[4:8] == b"ftyp" and body[8:12] in _BRANDS
    return webp or brand or body.startswith(_FIRST_BYTES) or (media_type or "").startswith("image/")


def read_picture(body: bytes) -> Picture:
    """The picture as it may be shown. Raises PictureFault."""
    try:
        with Image.open(BytesIO(body), formats=_OPENED) as image:
            return _read(image)
    except PictureFault:
        raise
    except UnidentifiedImageError:
        raise PictureFault("picture_unknown") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise PictureFault("picture_too_large") from None
    except Exception:  # Pillow raises of nearly every kind on broken bytes
        raise PictureFault("picture_broken") from None


def _read(image: Image.Image) -> Picture:
    written = _WRITTEN[image.format or ""]
    moves = image.format != "MPO" and getattr(image, "is_animated", False)
    count = getattr(image, "n_frames", 1) if moves else 1
    if image.width * image.height * count > MAX_PIXELS:
        raise PictureFault("picture_too_large")
    exif = _exif(image)
    position, turn = _position(exif), _TURNS.get(exif.get(ExifTags.Base.Orientation))
    pages = (frame.copy() for frame in ImageSequence.Iterator(image)) if moves else (image,)
    frames = [_bare(page, turn, written) for page in pages]
    shown = _saved(frames, written)
    return Picture(shown, f"image/{written.lower()}", _preview(frames[0]), position)


def _exif(image: Image.Image) -> Any:
    """Broken EXIF is none: the picture itself may be whole."""
    try:
        exif = image.getexif()
        return dict(exif) | {ExifTags.IFD.GPSInfo: dict(exif.get_ifd(ExifTags.IFD.GPSInfo))}
    except Exception:  # as above
        return {}


def _position(exif: Any) -> tuple[float, float] | None:
    gps = exif.get(ExifTags.IFD.GPSInfo) or {}
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    return None if lat is None or lon is None or (lat == 0 and lon == 0) else (lat, lon)  # 0, 0: a camera without one


def _degrees(value: Any, half: Any, negative: str, most: float) -> float | None:
    """Zero denominators come out of Pillow as NaN."""
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    found = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(found) or not 0 <= found <= most:
        return None
    half = half.decode("ascii", "replace") if isinstance(half, bytes) else str(half)
    return -found if half.strip("\0 ").upper() == negative else found


def _bare(frame: Image.Image, turn: Image.Transpose | None, written: str) -> Image.Image:
    """Upright pixels, and nothing of what stood beside them."""
    bare = frame if turn is None else frame.transpose(turn)
    bare.load()
    modes = _MODES.get(written)
    if modes is not None and bare.mode not in modes:
        clear = "A" in bare.mode or "transparency" in bare.info
        bare = bare.convert("RGBA" if clear and "RGBA" in modes else "RGB")
    bare.info = {name: bare.info[name] for name in _KEPT if name in bare.info}
    return bare


def _saved(frames: list[Image.Image], written: str) -> bytes:
    out = BytesIO()
    more: dict[str, Any] = {"quality": QUALITY} if written in ("JPEG", "WEBP") else {}
    if len(frames) > 1:
        more |= {"save_all": True, "append_images": frames[1:]}
    frames[0].save(out, written, **more)
    return out.getvalue()


def _preview(picture: Image.Image) -> bytes:
    fits = picture.width <= PREVIEW[0] and picture.height <= PREVIEW[1]
    out, small = BytesIO(), (picture if fits else ImageOps.contain(picture, PREVIEW)).convert("RGBA")
    white = Image.new("RGB", small.size, "white")
    white.paste(small, mask=small.getchannel("A"))
    white.save(out, "JPEG", quality=PREVIEW_QUALITY)
    return out.getvalue()
