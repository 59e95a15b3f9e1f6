# SPDX-License-Identifier: Apache-2.0
"""Makes a browser's screenshot small: a palette of the 256 colours that it has most of, no filters. Standard library only.
Reads PNGs of 8 bits, RGB or RGBA, not interlaced, as chromium writes them (PNG 1.2, sections 3, 4 and 6)."""
import collections
import struct
import zlib


def chunks(data):
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at:at + 4])
        yield data[at + 4:at + 8], data[at + 8:at + 8 + length]
        at += 12 + length


def paeth(left, up, corner):
    guess = left + up - corner
    distances = abs(guess - left), abs(guess - up), abs(guess - corner)
    return (left, up, corner)[distances.index(min(distances))]


def unfilter(kind, row, above, step):
    for i, byte in enumerate(row):
        left, up = row[i - step] if i >= step else 0, above[i]
        if kind == 1:
            row[i] = (byte + left) & 255
        elif kind == 2:
            row[i] = (byte + up) & 255
        elif kind == 3:
            row[i] = (byte + (left + up) // 2) & 255
        elif kind == 4:
            row[i] = (byte + paeth(left, up, above[i - step] if i >= step else 0)) & 255
    return row


def pixels(data):
    """(width, rows of (red, green, blue))"""
    width, height, _, kind, *_ = struct.unpack(">IIBBBBB", next(body for name, body in chunks(data) if name == b"IHDR"))
    step = 4 if kind == 6 else 3
    raw = zlib.decompress(b"".join(body for name, body in chunks(data) if name == b"IDAT"))
    above, rows = bytearray(width * step), []
    for number in range(height):
        start = number * (width * step + 1)
        above = unfilter(raw[start], bytearray(raw[start + 1:start + 1 + width * step]), above, step) if raw[start] else bytearray(raw[start + 1:start + 1 + width * step])
        rows.append(list(zip(above[0::step], above[1::step], above[2::step])))
    return width, rows


def shrink(path):
    with open(path, "rb") as handle:
        width, rows = pixels(handle.read())
    counted = collections.Counter(colour for row in rows for colour in row)
    palette = [colour for colour, _ in counted.most_common(256)]
    place = {colour: palette.index(min(palette, key=lambda one: sum((a - b) ** 2 for a, b in zip(one, colour)))) for colour in counted}
    body = b"".join(b"\0" + bytes(place[colour] for colour in row) for row in rows)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    with open(path, "wb") as handle:
        handle.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)) +
                     chunk(b"PLTE", b"".join(map(bytes, palette))) + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b""))
