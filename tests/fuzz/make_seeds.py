#!/usr/bin/env python3
"""Make the hand-written inputs of the fuzz targets: corpus/TARGET/seed-*.

Each is a sound example, or one that is wrong in one way that its name says. Run from anywhere;
the same files come out. Inputs named found-* come from fuzzing and are kept as they are.
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
HASH = "0" * 64


def put(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(data if isinstance(data, bytes) else data.encode())


def seeds_database():
    put("database", "results", b"\0")
    put("database", "corpus", b"\1")
    put("database", "results-read", b"\x08")
    put("database", "list", b"\x10")
    put("database", "view", b"\x20")
    put("database", "view-byte", b"\x2c\0\x44\0\1")
    put("database", "rows", b"\2\2" + b"\0\0\2\5\2\6\3" + struct.pack("<q", -(2**40)) + b"\4\7\0" + b"\0" * 6)
    put("database", "null", b"\2\1\0\0\1\1\1\1")
    put("database", "text-in-number", b"\2\1\0\0\0\5text\0\7blob\0\0")
    put("database", "long-text", b"\2\3" + b"\0\0\x08\xf4\1x\0\0\0" * 3)
    put("database", "lie", b"\2\1\0\0\x09\xff\xff\xff\x7f\0\0\0")
    put("database", "other-run", b"\2\1\0\2\2\0\0\0\0")
    put("database", "many-games", b"\3" + b"\0" * 5 + b"\3" + struct.pack("<q", 2**32) + b"\0" * 7)
    put("database", "text-in-blob", b"\3" + b"\0" * 11 + b"\5text\0\0")
    put("database", "size", b"\3\0\2\5" + b"\0" * 11)
    put("database", "byte", b"\4\0\x44\0\1")
    put("database", "page-type", b"\4\x21\0\5\0")
    put("database", "cells", b"\5\x11\3\xff\xff")
    put("database", "file-head", b"\5\2\0\2\0\0\0")
    put("database", "loop", b"\5\3\1\2")
    put("database", "schema", b"\4\4\x80\3 AS (1)\0")
    put("database", "cut", b"\4\5\0\x08")


def seeds_json():
    put("json", "object", '{"a": [1, -2.5e3, true, null, "\\u00e9\\n"], "b": {"c": {}}}')
    put("json", "numbers", "[0, -0.0, 1e308, 9223372036854775807, -9223372036854775808, 0.1]")
    put("json", "duplicate", '{"a": 1, "a": 2}')
    put("json", "deep", "[" * 70 + "]" * 70)
    put("json", "cut", '{"a": [1, 2')
    put("json", "utf8", b'["\xff\xfe"]')
    put("json", "text", '"\\ud83d\\ude00 \\u0000"')


def seeds_beside():
    page = b"\0" + b"\0\0\0" + b"\0"  # a record: its number, the byte that is changed, its sum
    journal = b"\0" + b"\0" * 4  # the fields of the head, as they should be
    for name, way in ("", 0), ("-written", 16):
        put("beside", "hot" + name, bytes([9 | way, 1]) + journal + page)
        put("beside", "hot-changed" + name, bytes([9 | way, 1]) + journal + b"\0\x80\2\xff\0")
        put("beside", "super-journal" + name, bytes([9 | way, 1]) + journal + page + b"\1")
        put("beside", "log" + name, bytes([10 | way, 2]) + b"\0" * 6 + (b"\0" + b"\0\0\0" + b"\0") * 2)
        put("beside", "foreign" + name, bytes([1 | way]) + b"\0notes on a journey")
    put("beside", "super-relative", b"\x09\1" + journal + page + b"\2")
    put("beside", "super-sum", b"\x09\1" + journal + page + b"\1\0\1\0\0\0\0")
    put("beside", "super-other", b"\x09\0" + journal + b"\3/nowhere/thesis.tex\0")
    put("beside", "journal-of-empty", b"\x29\0\0\0\0\1\0\0\0\0\0\0")
    put("beside", "journal-of-nothing", b"\x49\1" + journal + page)
    put("beside", "log-sum", b"\x0a\1" + b"\0" * 4 + b"\1\1\2\3\4\0" + page)
    put("beside", "log-foreign", b"\2\0a log of a ship")
    put("beside", "index-foreign", b"\4\0index of names")
    put("beside", "index", b"\x06\xff\x37\x7f\x06\x82\xff\xfe\x18\xe2\x2d\0")
    put("beside", "none", b"\x10")


def seeds_paths():
    # Pieces by their number in fuzz_paths.c; a piece that is 0 there is 16 here, as 0 ends a name.
    up, dot, slash, config, train, state, link, outside, folder = 16, 1, 3, 4, 5, 6, 7, 8, 11
    for way, kind in (0, ""), (1, "-probe"), (2, "-written"):
        put("paths", "inside" + kind, bytes([way, config, 0, train, slash, state]))
        put("paths", "up" + kind, bytes([way, up, slash, outside]))
        put("paths", "root" + kind, bytes([way, 13, slash, outside]))
        put("paths", "folder" + kind, bytes([way, folder, slash, outside]))
        put("paths", "long" + kind, bytes([way, 15, 15, 15]))
        put("paths", "full" + kind, bytes([way, 15, 15]))
    put("paths", "link", bytes([0, link]))
    put("paths", "dot", bytes([0, dot, slash, config]))
    put("paths", "twice-up", bytes([0, train, slash, up, slash, up, slash, outside]))
    put("paths", "itself", bytes([0, 12]))
    put("paths", "blank", bytes([1, 14, 0, 128 + 31]))
    put("paths", "none", bytes([0]))


def seeds_safetensors():
    def whole(header, data, length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return b"\0" + struct.pack("<Q", len(text) if length is None else length) + text + data

    def parts(header, data):
        return b"\1" + (header if isinstance(header, bytes) else json.dumps(header).encode()) + b"\0" + data

    def entry(shape, begin, end, dtype="F32"):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    two = {"__metadata__": {"format": "pt"}, "a": entry([2, 3], 0, 24), "b": entry([], 24, 28)}
    data = struct.pack("<7f", *range(7))
    put("safetensors", "two", whole(two, data))
    put("safetensors", "two-parts", parts(two, data))
    put("safetensors", "empty", parts({}, b""))
    put("safetensors", "zero-size", parts({"a": entry([0, 5], 0, 0)}, b""))
    put("safetensors", "other-types", parts({"a": entry([3], 0, 3, "U8"), "b": entry([2], 3, 7, "BF16")}, b"1234567"))
    put("safetensors", "overlap", parts({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, b"\0" * 12))
    put("safetensors", "hole", parts({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, b"\0" * 12))
    put("safetensors", "trailing", parts({"a": entry([1], 0, 4)}, b"\0" * 12))
    put("safetensors", "overflow", parts({"a": entry([2**62, 4], 0, 4)}, b"\0" * 4))
    put("safetensors", "metadata", parts({"__metadata__": {"format": 3}}, b""))
    put("safetensors", "name", parts({"a/b": entry([1], 0, 4)}, b"\0" * 4))
    put("safetensors", "duplicate", parts(b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', b"\0" * 4))
    put("safetensors", "length", whole({}, b"", 2**63))
    put("safetensors", "pickle", b"\0\x80\x04\x95" + b"\0" * 20)
    put("safetensors", "zip", b"\0PK\3\4" + b"\0" * 20)


def seeds_npy():
    def parts(text, data):
        return b"\1" + text.encode() + b"\0" + data

    def text(descr, shape, order="False"):
        return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"

    head = text("<f4", "(2, 3)").encode() + b" " * 5 + b"\n"
    put("npy", "whole", b"\0\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + struct.pack("<6f", *range(6)))
    put("npy", "version2", b"\0\x93NUMPY\2\0" + struct.pack("<I", len(head)) + head + struct.pack("<6f", *range(6)))
    put("npy", "bytes", parts(text("|u1", "(4,)"), b"abcd"))
    put("npy", "i4", parts(text("<i4", "(1, 1)"), b"abcd"))
    put("npy", "i8", parts(text("<i8", "()"), b"abcdefgh"))
    put("npy", "empty", parts(text("<f4", "(0, 7)"), b""))
    put("npy", "object", parts(text("|O", "(1,)"), b"abcdefgh"))
    put("npy", "big-endian", parts(text(">f4", "(1,)"), b"abcd"))
    put("npy", "fortran", parts(text("<f4", "(1, 1)", "True"), b"abcd"))
    put("npy", "overflow", parts(text("<f4", "(4611686018427387904, 4)"), b""))
    put("npy", "structured", parts("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", b"abcd"))
    put("npy", "short", parts(text("<f4", "(3,)"), b"abcd"))
    put("npy", "not-a-tuple", parts(text("<f4", "(1)"), b"abcd"))


def seeds_manifest():
    files = {
        "model.safetensors": {"size": 16, "sha256": "a3f1d0fc5d8b6eb5d1f2ec2d5e0a3b5c36d9ce9a8fb46f8ab5d4d4d6b5b4a8d2"},
        "config.json": {"size": 3, "sha256": "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"},
    }
    import hashlib
    files["model.safetensors"]["sha256"] = hashlib.sha256(b"sixteen bytes...").hexdigest()
    files["config.json"]["sha256"] = hashlib.sha256(b"{}\n").hexdigest()
    whole = {"files": files, "kind": "model", "step": 7}
    put("manifest", "sealed", "\1" + json.dumps(whole))
    put("manifest", "one-file", "\1" + json.dumps({"files": {"config.json": files["config.json"]}}))
    put("manifest", "unsealed", "\0" + json.dumps({**whole, "manifest_sha256": HASH}))
    put("manifest", "missing", "\1" + json.dumps({"files": {"other.bin": files["config.json"]}}))
    put("manifest", "size", "\1" + json.dumps({"files": {"config.json": {"size": 4, "sha256": HASH}}}))
    put("manifest", "escape", "\1" + json.dumps({"files": {"../config.json": files["config.json"]}}))
    put("manifest", "itself", "\1" + json.dumps({"files": {"MANIFEST.json": files["config.json"]}}))
    put("manifest", "types", "\1" + json.dumps({"files": {"config.json": {"size": "3", "sha256": 5}}}))
    put("manifest", "array", "\1" + json.dumps({"files": []}))


def seeds_config():
    sound = dict(n_layers=2, d_model=64, n_heads=4, d_head=16, d_mlp=256, n_ctx=59, d_vocab=61, act_fn="gelu",
                 normalization_type="LN", eps=1e-5, seed=1, ogpt={"step": 3})
    put("config", "sound", json.dumps(sound))
    put("config", "lnpre", json.dumps({**sound, "normalization_type": "LNPre", "seed": None}))
    put("config", "heads", json.dumps({**sound, "n_heads": 5}))
    put("config", "huge", json.dumps({**sound, "d_model": 2**31}))
    put("config", "zero", json.dumps({**sound, "n_layers": 0}))
    put("config", "eps", json.dumps({**sound, "eps": 3.25e-7}))
    put("config", "missing", json.dumps({"n_layers": 1}))


def seeds_rules():
    put("rules", "game8", bytes([2, 0]) + bytes(range(60)))
    put("rules", "game6", bytes([1, 0]) + bytes(range(7, 39)))
    put("rules", "game4", bytes([0, 0]) + bytes(3 * i % 11 for i in range(12)))
    put("rules", "position", bytes([2, 1]) + bytes([0x10, 0x08, 0x3C, 0x24, 0, 1, 2, 4]) + bytes([1, 2, 4, 8, 16, 32, 64, 128]) + b"abc")
    put("rules", "empty-board", bytes([0, 1]) + bytes(20))
    put("rules", "full-board", bytes([2, 1]) + b"\xaa" * 8 + b"\xff" * 8 + b"ab")


def seeds_notation():
    put("notation", "moves", "\2f5 d6 c3 d3 c4 f4 f6 f3 e6 e7")
    put("notation", "together", "\2F5D6C3,d3-c4")
    put("notation", "six", "\1e4 c5")
    put("notation", "illegal", "\2f5 f5")
    put("notation", "pass", "\2f5 --")
    put("notation", "off", "\2i9 a0")
    put("notation", "board8", "\2" + "...........................wb......bw..........................." + " b")
    put("notation", "board4", "\0.... .wb. .bw. .... w")


def seeds_cases():
    game = "f5 d6 c3 d3 c4"
    put("cases", "one", f"\2moves,square,from,to\n{game},d6,black,white\n")
    put("cases", "crlf", f"\2\ufeffmoves,square,from,to\r\n{game},d6,black,white\r\n")
    put("cases", "two-squares", f"\2moves,square,from,to\n{game},d6 e5,black black,white empty\n")
    put("cases", "witness", f"\2moves,square,from,to,witness\n{game},d6,black,white,\n")
    put("cases", "false-witness", f"\2moves,square,from,to,witness\n{game},d6,black,white,{game}\n")
    put("cases", "wrong-state", f"\2moves,square,from,to\n{game},d6,empty,white\n")
    put("cases", "illegal", "\2moves,square,from,to\nf5 f6 f7,d6,white,black\n")
    put("cases", "fields", "\2moves,square,from,to\nf5,d6\n")
    put("cases", "header", "\2move,square\n")
    put("cases", "six", "\1moves,square,from,to\ne4,d4,black,white\n")
    put("cases", "four", "\0moves,square,from,to\nd3,c3,black,white\n")


def seeds_pairs():
    clean, corrupt = "f5 d6 c3 d3 c4", "f5 d6 c4 d3 c3"
    put("pairs", "one", f"\2clean,corrupt\n{clean},{corrupt}\n")
    put("pairs", "chosen", "\2clean,corrupt,target,other\nf5 d6,f5 f4,c3,h8\n")
    put("pairs", "chosen-centre", "\2clean,corrupt,target,other\nf5 d6,f5 f4,c3,d4\n")
    put("pairs", "crlf", f"\2\ufeffclean,corrupt\r\n{clean},{corrupt}\r\n")
    put("pairs", "six", "\1clean,corrupt\nd5 e5 e4 c5 b3,d5 e5 b3 c5 e4\n")
    put("pairs", "again", f"\2clean,corrupt\n{clean},{corrupt}\n{corrupt},{clean}\n")
    put("pairs", "same", f"\2clean,corrupt\n{clean},{clean}\n")
    put("pairs", "shorter", f"\2clean,corrupt\n{clean},f5 d6\n")
    put("pairs", "fields", f"\2clean,corrupt\n{clean}\n")
    put("pairs", "header", f"\2corrupt,clean\n{clean},{corrupt}\n")
    put("pairs", "natural", f"\2moves,square,from,to,witness\n{clean},d4,black,white,{corrupt}\n")
    put("pairs", "natural-six", "\1moves,square,from,to,witness\ne4 e5 e6 b4 b3 f4 c5 b2 e3,c4,black,white,e4 e5 e6 b4 b3 f4 e3 b2 c5\n")
    put("pairs", "no-witness", f"\2moves,square,from,to\n{clean},d6,white,black\n")


def seeds_corpus():
    put("corpus", "sound", b"\0")
    put("corpus", "loose", b"\1\1\0")
    put("corpus", "loose-read", b"\3\1\0")
    put("corpus", "header", b"\0\x10\0\0\x12\0\xff")
    put("corpus", "id", b"\0\x44\0\1")
    put("corpus", "cut", b"\0\0\x08")
    put("corpus", "games", b"\1\1\3\5\2\7\1\xff\0")
    put("corpus", "square", b"\3\1\3\5\x05\0")
    put("corpus", "no-blocks", b"\1\0\0")
    put("corpus", "many-games", b"\1\1\0" + b"\0\0\0\0\0" + b"\3" + struct.pack("<Q", 2**32))
    put("corpus", "negative", b"\1\1\0" + b"\0\0\0\0\0" + b"\3" + struct.pack("<q", -1))
    put("corpus", "size", b"\1\1\0" + b"\0\2\5")
    put("corpus", "text-in-blob", b"\1\1\0" + b"\0" * 8 + b"\0\0\0\5text\0")
    put("corpus", "checksum", b"\1\1\0" + b"\0" * 8 + b"\0\0\0\0\3abcdefgh")
    put("corpus", "twice", b"\1\3\0" + b"\0" * 8 + b"\0" * 5 + b"\2\0")


def seeds_probe():
    layer = {"layer": 0, "fitted": True, "objective": 1.5}
    sound = dict(format=1, task="mine", classes=["empty", "theirs", "mine"], labels="mover", solver="newton", l2=1.0,
                 site="resid_post", size=4, d_model=3, layers=[layer, {**layer, "layer": 1}], split="train", games=10,
                 plies=0, positions=100, seed=1, model_hash=HASH, corpus_hash=HASH)
    put("probe", "sound", json.dumps(sound))
    put("probe", "width", json.dumps({**sound, "d_model": 4}))
    put("probe", "huge", json.dumps({**sound, "d_model": 65536, "size": 8, "classes": list("abcdefgh"),
                                     "layers": [{"layer": i, "fitted": False} for i in range(30)]}))
    put("probe", "unfitted", json.dumps({**sound, "layers": [layer, {"layer": 1, "fitted": False}]}))
    put("probe", "order", json.dumps({**sound, "layers": [{**layer, "layer": 1}, layer]}))
    put("probe", "hidden", json.dumps({**sound, "format": 2, "hidden": 5}))
    put("probe", "newer", json.dumps({**sound, "format": 9}))
    put("probe", "types", json.dumps({**sound, "layers": [3, "x"], "classes": [1, 2]}))
    put("write_probe", "linear", bytes([0, 2, 0, 1, 1]) + bytes(range(120)))
    put("write_probe", "hidden", bytes([1, 4, 2, 2, 2]) + bytes(reversed(range(150))))
    put("write_probe", "eight", bytes([2, 0, 1, 0, 0]) + b"\x80\x7f" * 40)


def seeds_options():
    lines = {
        "perft": "perft\n6\n--size\n6\n--json", "generate": "generate\nout.ogpc\n--games\n1000\n--seed=7",
        "train": "train\nrun\n--fresh\n--preset\nnano\n--steps\n10\n--lr\n1e-3", "unknown": "train\nrun\n--fresj",
        "command": "trian", "help": "probe\nfit\n--help", "group": "probe", "version": "--version\n--json",
        "range": "generate\nx\n--games\n0", "number": "train\nx\n--lr\n0x10", "nan": "train\nx\n--lr\nnan",
        "twice": "perft\n3\n--size\n8\n--size\n8", "end": "perft\n--\n-3", "flag": "perft\n3\n--json=1",
        "choice": "perft\n3\n--size\n7", "empty": "", "double": "runs\nshow\n1\n--store\n", "nohelp": "help\nfoo\nbar",
        "threads": "generate\nx\n--games\n5\n--threads\n100000", "seed": "generate\nx\n--games\n5\n--seed\n-1",
    }
    for name, text in lines.items():
        put("options", name, text)


def seeds_games():
    short = "f5 d6 c3 d3 c4 f4"
    whole = "f5d6c3d3c4f4f6f3e6e7"
    put("text", "lines", f"\x10{short}\n{whole}\n")
    put("text", "crlf", f"\0\ufeff{whole}\r\n{short}\r\n")
    put("text", "comment", f"\0# a comment\n{short} # another\n")
    put("text", "numbers", "\x101. f5 d6 2. c3 d3\n")
    put("text", "illegal", f"\x10{short}\nf5 f6\n")
    put("text", "six", "\x11e4 c5\n")
    put("text", "first-move", "\x08c4 c3 d3 c5\n")
    put("text", "transposed", "\x04e6 f4\n")
    put("text", "nul", "\0f5\0d6\n")
    put("text", "utf8", b"\0f5 \xc3\xa9\xff\n")
    put("text", "long-word", "\0" + "f5" * 300)
    tags = '[Event "x"]\n[Site "a \\"b\\" c"]\n[Result "33-31"]\n\n'
    put("pgn", "plain", f"\x10{tags}1. f5 d6 2. c3 d3 33-31\n\n{tags}1. F5 D6 2. C3 D3 *\n")
    put("pgn", "odd-numbers", f"\0{tags}1. c4 e3\n3. f6 e6 *\n")
    put("pgn", "comments", f"\0{tags}1. f5 {{a comment}} d6 (1... f6 (x) y) 2. c3 ; rest\nd3 $1 1-0\n")
    put("pgn", "open-brace", f"\0{tags}1. f5 {{never closed")
    put("pgn", "nested", "\0" + tags + "1. f5 " + "(" * 200 + ")" * 200 + " d6 *\n")
    put("pgn", "escape", f'\0[Event "\x1b[31mred"]\n1. f5 *\n')
    put("pgn", "pass", f"\0{tags}1. f5 pass 2. d6 *\n")
    put("pgn", "illegal", f"\x10{tags}1. a1 h8 *\n{tags}1. f5 d6 0-1\n")
    put("pgn", "no-tags", "\x101. f5 d6 2. c3 *")
    move = lambda name: (ord(name[1]) - 48) * 10 + ord(name[0]) - 96
    def record(names, black=33, theory=31):
        moves = bytes(move(name) for name in names.split())
        return struct.pack("<3HBB", 1, 2, 3, black, theory) + moves + bytes(60 - len(moves))
    head = bytes([20, 26, 1, 31]) + struct.pack("<IHH", 1, 0, 1985) + bytes([8, 0, 0, 0])
    put("wthor", "one", b"\x10\1" + record(short))
    put("wthor", "two", b"\0\1" + record(short) + record("c4 c3 d3 c5", 64, 64))
    put("wthor", "raw", b"\0\0" + head + record(short))
    put("wthor", "short", b"\0\0" + head + record(short)[:-1])
    put("wthor", "count", b"\0\0" + head[:4] + b"\xff\xff\xff\xff" + head[8:] + record(short))
    put("wthor", "ten", b"\0\0" + head[:12] + b"\x0a" + head[13:] + record(short))
    put("wthor", "hole", b"\0\1" + record(short)[:9] + b"\0" + record(short)[10:])
    put("wthor", "off", b"\0\1" + record(short)[:8] + b"\x63\x13" + bytes(58))
    put("wthor", "transposed", b"\x0c\1" + record("e6 f4 c3 c4 d3"))
    squares = bytes(8 * (ord(m[1]) - 49) + ord(m[0]) - 97 for m in short.split())
    put("npy_games", "squares", b"\x30\0\x3b" + (squares + b"\xff" * 54) * 2)
    put("npy_games", "tokens", b"\x50\1\x05" + bytes([35, 40, 17, 18, 25, 34]))
    put("npy_games", "auto", b"\x10\2\x05" + squares + b"\x7f" * 6)
    put("npy_games", "floats", b"\0\3\x05" + squares)


def seeds_lists():
    start = "8 " + "-" * 27 + "O*" + "-" * 6 + "*O" + "-" * 27 + " *"
    game = "(;GM[Othello]PC[GGS/os]RE[%s]TY[8]BO[" + start + "]B[F5//1.2]W[D6/0.5]B[C3];)\n"
    put("ggf", "two", "\x10" + game % "-2" + game % "?")
    put("ggf", "count", "\x18" + "2 " + game % "+64:r" + game % "0")
    put("ggf", "six", "\x12(;GM[Othello]TY[6]B[E4]W[C5]B[PA];)")
    put("ggf", "open", "\x10(;GM[Othello]PB[x(;GM[Othello]B[F5];)")
    put("ggf", "komi", "\x10(;GM[Othello]TY[8kr]KM[-1.5]RE[2.5]KB[1/2]B[F5];)")
    put("ggf", "no-start", "\x10GM[Othello]B[F5];)")
    put("lists", "logistello", "\x10\0+f5-d6+c3-d3+c4: +00 0\n# x\n-f5+d6\n")
    put("lists", "drops", "\x10\1P@f4 P@d3 p@c6 f5f5 0000\n@e3\n")
    put("lists", "prose", "\x10\2Dear: 1. f5 d6 2. c3 d3 -- x\n(f5d6c3d3c4)\n")
    put("lists", "passes", "\x10\1P@a1a1@@ps--pass0000\n")
    put("csv", "three", '\x10id,moves,y\n1,"f5,d6",\n2,f5d6,"a ""b"" c"\n3,,\n')
    put("csv", "tabs", "\x10moves\tid\nf5 d6\t1\n")
    put("csv", "open", '\x10moves;id\n"f5;1\nf5;2\n')
    put("csv", "no-column", "\x10a,b\nf5,d6\n")


def seeds_written():
    put("write_safetensors", "three", b"\3a\n\2\2\3blocks.0.W\n\1\4c\n\0" + struct.pack("<3f", 1, -2.5, float("nan")))
    put("write_safetensors", "same-name", b"\2a\n\1\2a\n\1\2xyz")
    put("write_safetensors", "bad-name", b"\1a/b\n\1\2xyz")
    put("write_safetensors", "none", b"\0")
    put("write_npy", "floats", b"\0\2\2\3" + struct.pack("<6f", *range(6)))
    put("write_npy", "scalar", b"\3\0abcdefgh")
    put("write_npy", "eight", b"\1\x08" + b"\1\2\1\2\1\2\1\2" + b"bytes")
    put("write_npy", "empty", b"\2\2\0\3")
    put("write_corpus", "one", b"\0\0\0\0\0abc")
    put("write_corpus", "two-blocks", b"\1\x81\1\x20\0" + bytes(range(40)))
    put("write_corpus", "three-blocks", b"\0\2\2\x01\x08" + bytes(range(90)))
    put("write_cases", "eight", bytes([2, 9]) + bytes(range(20)))
    put("write_cases", "six", bytes([1, 4]) + bytes(range(9)))
    put("write_cases", "four", bytes([0, 11]) + bytes(3 * i for i in range(16)))
    put("write_cases", "late", bytes([2, 59]) + bytes(range(70)))


for make in [value for name, value in sorted(globals().items()) if name.startswith("seeds_")]:
    make()
