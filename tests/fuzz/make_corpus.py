#!/usr/bin/env python3
"""Writes the fuzzers' first inputs into corpus/: one folder a fuzzer, a few hundred bytes a file."""

import gzip
import pathlib
import struct
import zlib

here = pathlib.Path(__file__).parent / "corpus"


def put(fuzzer, name, data):
    (here / fuzzer).mkdir(parents=True, exist_ok=True)
    (here / fuzzer / name).write_bytes(data)


def big(*words):
    return struct.pack(f">{len(words)}I", *words)


def little(*words):
    return struct.pack(f"<{len(words)}i", *words)


images = big(0x803, 2, 2, 3) + bytes(range(12))
put("idx", "images", images)
put("idx", "labels", big(0x801, 3) + bytes([9, 0, 4]))
put("idx", "gzipped", gzip.compress(images, mtime=0))
put("idx", "huge", big(0x803, 0xffff, 0xffff, 1))

put("cifar", "record", bytes([0, 9, 1, 2, 3]))
put("cifar", "labels", bytes([0, 19, 99, 7]))
put("cifar", "short", bytes([9, 1, 2]))

put("text", "prose", b"It is a truth universally acknowledged, a truth")
put("text", "bytes", bytes(range(0, 256, 5)))

shard = little(20240520, 1, 4) + bytes(1012) + struct.pack("<4H", 1, 2, 50256, 3)
put("tokens", "bare", bytes([128]) + struct.pack("<12H", *range(0, 24000, 2000)))
put("tokens", "shards", bytes([128]) + shard + shard)
put("tokens", "both", bytes([250]) + shard + struct.pack("<6H", *range(6)))

# context 1, vocabulary 2, one layer, one head, width 1: 30 parameters.
put("llmc", "float", little(20240326, 3, 1, 2, 1, 1, 1, 2) + struct.pack("<30f", *range(30)))
put("llmc", "bare", little(20240326, 1, 1, 2, 1, 1, 1, 0) + struct.pack("<30f", *range(30)))
put("llmc", "half", little(20240326, 5, 1, 2, 1, 1, 1, 2) + bytes(60))

put("bpe_list", "merges", "t h\nth e\n\u0120 the\n\u0120 \u0120\n\u00c3 \u00a9\n".encode())
put("bpe_list", "doubling", b"a a\naa aa\naaaa aaaa\n")
put("bpe_text", "prose", "the  café's 1212 aaaaa\n\n  12's I'll\u00a0\u3000x".encode())
put("bpe_text", "broken", b"a\xff\xc3\xe4\xbd\xed\xa0\x80 \xf4\x90\x80\x80 \xc1\x81")


def string(text):
    return big(0x40009, len(text)) + text


start = b"X\n" + big(3, 0x40201, 0x30500, 5) + b"UTF-8"
novel = start + big(16, 3) + string(b"EMMA") + string(b"") + string(b"By Jane Austen")
chunk = big(len(novel)) + zlib.compress(novel)
index = (start + big(0x213, 3, 0x213, 1, 13, 2, 0, len(chunk), 0x402, 1) + string(b"names")
         + big(16, 1) + string(b"emma") + big(0xfe))
packed = gzip.compress(index, mtime=0)


def split(kind, head, tail):
    """Padded so that the byte that says where to cut cuts there."""
    for cut in range(1, 255):
        for pad in range(400):
            size = len(head) + len(tail) + pad
            if size * cut // 255 == len(head):
                return bytes([kind, cut]) + head + tail + bytes(pad)
    raise ValueError("no cut")


put("austen", "files", split(0, packed, chunk))
put("austen", "index", split(1, index, chunk))
put("austen", "novel", bytes([2, 0]) + novel)
put("austen", "stream", bytes([2, 0]) + zlib.compress(novel))
