# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of a screen: read as PPM from a model, kept as small PNG files, compared."""
import struct
import zlib


class Picture:
    """Width, height and three bytes a pixel."""

    def __init__(self, width, height, rgb):
        self.width, self.height, self.rgb = width, height, rgb

    def __eq__(self, other):
        return (self.width, self.height, self.rgb) == (other.width, other.height, other.rgb)

    def __str__(self):
        return f'picture {self.width}x{self.height} {zlib.crc32(self.rgb):08x}'

    def pixel(self, n):
        return self.rgb[3 * n:3 * n + 3].hex()

    def against(self, other):
        """What is different, in a few words."""
        if (self.width, self.height) != (other.width, other.height):
            return f'{self.width}x{self.height} beside {other.width}x{other.height}'
        bad = [n for n in range(self.width * self.height) if self.pixel(n) != other.pixel(n)]
        if not bad:
            return 'the same'
        y, x = divmod(bad[0], self.width)
        rows, columns = [n // self.width for n in bad], [n % self.width for n in bad]
        return (f'{len(bad)} pixels, the first at {x},{y}: {self.pixel(bad[0])} beside '
                f'{other.pixel(bad[0])}; within {min(columns)},{min(rows)} to '
                f'{max(columns)},{max(rows)}')


def read_ppm(path):
    with open(path, 'rb') as f:
        data = f.read()
    fields, at = [], 0
    while len(fields) < 4:  # P6, width, height, largest value, then one blank
        end = at
        while data[end:end + 1].strip():
            end += 1
        fields.append(data[at:end])
        at = end + 1
    if fields[0] != b'P6' or fields[3] != b'255':
        raise ValueError(f'{path}: not a picture of 8 bits a colour')
    return Picture(int(fields[1]), int(fields[2]), data[at:])


def chunk(kind, data):
    return (struct.pack('>I', len(data)) + kind + data
            + struct.pack('>I', zlib.crc32(kind + data)))


def write_png(path, pic):
    """Indexed when there are few colours: goldens are to be small."""
    pixels = [pic.rgb[n:n + 3] for n in range(0, len(pic.rgb), 3)]
    colours = sorted(set(pixels))
    if len(colours) <= 256:
        index = {c: i for i, c in enumerate(colours)}
        body, row, kind = bytes(index[p] for p in pixels), pic.width, 3
    else:
        body, row, kind = pic.rgb, 3 * pic.width, 2
    lines = b''.join(b'\0' + body[y * row:(y + 1) * row] for y in range(pic.height))
    with open(path, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n')
        f.write(chunk(b'IHDR', struct.pack('>IIBBBBB', pic.width, pic.height, 8, kind, 0, 0, 0)))
        if kind == 3:
            f.write(chunk(b'PLTE', b''.join(colours)))
        f.write(chunk(b'IDAT', zlib.compress(lines, 9)) + chunk(b'IEND', b''))


def read_png(path):
    """What write_png() wrote: no filters, one of its two kinds."""
    with open(path, 'rb') as f:
        data = f.read()
    at, parts = 8, {}
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        parts[kind] = parts.get(kind, b'') + data[at + 8:at + 8 + size]
        at += 12 + size
    width, height, _, kind = struct.unpack('>IIBB', parts[b'IHDR'][:10])
    row = width * (1 if kind == 3 else 3) + 1
    lines = zlib.decompress(parts[b'IDAT'])
    body = b''.join(lines[y * row + 1:(y + 1) * row] for y in range(height))
    if kind == 3:
        plte = parts[b'PLTE']
        body = b''.join(plte[3 * i:3 * i + 3] for i in body)
    return Picture(width, height, body)
