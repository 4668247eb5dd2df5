"""Pictures that nobody took."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

OWNER = "Siti Rahmawati"
LATITUDE = (6.0, 15.0, 0.0)
LONGITUDE = (106.0, 45.0, 0.0)


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **more: Any) -> bytes:
    """Its left half is red, its right half blue."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = BytesIO()
    image.convert(mode).save(out, form, **more)
    return out.getvalue()


def exif(latitude: Any = LATITUDE, longitude: Any = LONGITUDE, *, south: str = "S", turned: int = 1) -> Image.Exif:
    """As a telephone writes it, with its owner's name."""
    made = Image.Exif()
    made[ExifTags.Base.Artist] = OWNER
    made[ExifTags.Base.Orientation] = turned
    gps = made.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = south, latitude
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", longitude
    return made


NOTHING = tuple(IFDRational(0, 0) for _ in range(3))
"""As cameras write a position that they do not know: NaN."""
