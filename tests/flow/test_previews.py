"""Pictures as they may be shown."""

from __future__ import annotations

import math
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from hub.running.previews import PREVIEW, PictureFault, is_picture, read_picture
from tests.sink.made_pictures import LATITUDE, LONGITUDE, NOTHING, OWNER, exif, picture

FORMS = [
    ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "RGBA"), ("GIF", "P"), ("WEBP", "RGB"), ("TIFF", "RGB"),
    ("BMP", "RGB"),
]  # fmt: skip


def opened(body: bytes) -> Image.Image:
    return Image.open(BytesIO(body))


@pytest.mark.parametrize(("form", "mode"), FORMS)
def test_no_picture_that_is_shown_holds_what_stood_beside_it(form: str, mode: str) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", OWNER)
    more = {"JPEG": {"comment": OWNER, "xmp": OWNER.encode()}, "PNG": {"pnginfo": notes}, "GIF": {"comment": OWNER}}
    tagged = {} if form in ("GIF", "BMP", "TIFF") else {"exif": exif()}
    body = picture(form, mode=mode, **more.get(form, {}), **tagged)
    found = read_picture(body)
    for made in (found.shown, found.preview):
        image = opened(made)
        assert (dict(image.getexif()), image.info.get("comment"), image.size) == ({}, None, (60, 40))
        assert OWNER.encode() not in made
    assert opened(found.shown).get_format_mimetype() == found.media_type
    assert found.position == ((-6.25, 106.75) if tagged else None)


@pytest.mark.parametrize(("south", "expected"), [("S", -6.25), ("N", 6.25), ("s", -6.25)])
def test_the_position_is_that_of_the_exif(south: str, expected: float) -> None:
    position = read_picture(picture(exif=exif(south=south))).position
    assert position == pytest.approx((expected, 106.75))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(NOTHING, LONGITUDE, id="no latitude"),
        pytest.param(LATITUDE, NOTHING, id="no longitude"),
        pytest.param((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), id="zeros"),
        pytest.param((96.0, 0.0, 0.0), LONGITUDE, id="beyond the pole"),
        pytest.param((6.0, 15.0), LONGITUDE, id="two numbers"),
    ],
)
def test_a_position_that_is_none_is_not_read(latitude: tuple[float, ...], longitude: tuple[float, ...]) -> None:
    assert math.isnan(NOTHING[0])
    assert read_picture(picture(exif=exif(latitude, longitude))).position is None


def test_a_picture_on_its_side_is_shown_upright() -> None:
    shown = opened(read_picture(picture(size=(60, 40), exif=exif(turned=6))).shown)
    assert shown.size == (40, 60)
    red, _, blue = shown.convert("RGB").getpixel((20, 5))  # type: ignore[misc]
    assert red > blue


def test_a_moving_picture_stays_one_and_its_preview_is_a_small_jpeg() -> None:
    still = Image.new("RGB", (1000, 500), "red")
    out = BytesIO()
    still.save(
        out, "GIF", save_all=True, append_images=[Image.new("RGB", still.size, "blue")], duration=90, comment="x"
    )
    found = read_picture(out.getvalue())
    shown, preview = opened(found.shown), opened(found.preview)
    assert (getattr(shown, "n_frames", 1), shown.info["duration"]) == (2, 90)
    assert (preview.format, preview.size) == ("JPEG", (PREVIEW[0], PREVIEW[0] // 2))


def png_of(width: int, height: int) -> bytes:
    """A PNG that only says how large it is."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!L", len(body)) + name + body + struct.pack("!L", zlib.crc32(name + body))

    head = struct.pack("!LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(png_of(8001, 8000), "picture_too_large", id="over the limit"),
        pytest.param(png_of(60_000, 60_000), "picture_too_large", id="bomb"),
        pytest.param(png_of(100, 100), "picture_broken", id="half"),
        pytest.param(picture()[:700], "picture_broken", id="cut off"),
        pytest.param(b"\xff\xd8\xff" + b"\0" * 50, "picture_unknown", id="only the first bytes"),
        pytest.param(b"\0\0\0\x18ftypheic" + b"\0" * 50, "picture_unknown", id="HEIC"),
    ],
)
def test_a_bomb_and_a_broken_picture_are_faults_of_the_file(body: bytes, code: str) -> None:
    assert is_picture(body, None)
    with pytest.raises(PictureFault, match=code):
        read_picture(body)


def test_a_picture_under_another_name_is_one_and_a_document_is_none() -> None:
    assert is_picture(picture(), "application/pdf")
    assert is_picture(b"<svg/>", "image/svg+xml")
    assert not is_picture(b"%PDF-1.7", "application/pdf")
