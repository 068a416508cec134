#!/usr/bin/env python3
"""Name the training games of a network that train.py made in the manifest of its model directory.

    python3 manifest.py RUN MODEL [EARLIER]

RUN      what train.py wrote
MODEL    `ogpt convert RUN MODEL --from tl`; its config.json and MANIFEST.json are written anew
EARLIER  the model directory that the run started from (train.py --init-from). Without it the run
         began with random weights.

`ogpt eval` reads these names, draws the games again and leaves out those that it scores.
"""

import hashlib
import json
import os
import sys

OWN = "manifest_sha256"  # the hash of the manifest without this member


def text_of(value, indent=None, depth=0):
    """A document as base/js.c prints it: numbers with a fraction by 17 digits, no zeros in front of
    an exponent."""
    if isinstance(value, float):
        number, e, exponent = f"{value:.17g}".partition("e")
        if e:
            return f"{number}e{int(exponent)}"
        return number if "." in number else number + ".0"
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        rows = [json.dumps(key, ensure_ascii=False) + colon + text_of(member, indent, depth + 1)
                for key, member in value.items()]
        left, right = "{}"
    else:
        rows = [text_of(member, indent, depth + 1) for member in value]
        left, right = "[]"
    if indent is None or not rows:
        return left + ",".join(rows) + right
    line = "\n" + " " * indent * (depth + 1)
    return left + line + ("," + line).join(rows) + "\n" + " " * indent * depth + right


def own_hash(manifest):
    rest = {key: member for key, member in manifest.items() if key != OWN}
    return hashlib.sha256(text_of(rest).encode()).hexdigest()


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def read_manifest(model):
    manifest = read_json(model, "MANIFEST.json")
    if own_hash(manifest) != manifest[OWN]:
        sys.exit(f"{model}: the manifest's own hash is wrong")
    return manifest


def games_before(earlier, games_of):
    """(rows of about.earlier, hash of the weights) of a run that began as `earlier` and was trained
    on other games."""
    manifest = read_manifest(earlier)
    about = manifest["about"]
    if "earlier" not in about and about.get("options", {}).get("init-from") != "":
        sys.exit(f"{earlier} does not name all its games")
    rows = about.get("earlier", []) + [{"games_of": manifest["corpus_hash"],
                                        "games": manifest["games"]}]
    if games_of in [row["games_of"] for row in rows]:
        sys.exit(f"{earlier} was trained on games of {games_of}, too: take another --seed")
    return rows, manifest["files"]["model.safetensors"]["sha256"]


def main(run, model, earlier=None):
    trained = read_json(run, "config.json")["trained"]
    if bool(trained["init_from"]) != bool(earlier):
        sys.exit("name EARLIER if the run had --init-from, and only then")
    manifest = read_manifest(model)
    rows, start = games_before(earlier, trained["games_of"]) if earlier else ([], "")
    options = {"source": trained["games_of"], "seed": int(trained["games_of"].split(":")[2]),
               "steps": trained["steps"], "batch": trained["batch"], "optimizer": "muon",
               "schedule": "trapezoid", "precision": trained["precision"], "lr": trained["lr"],
               "lr-rest": trained["lr_rest"], "warmup": trained["warmup"],
               "cooldown": trained["cooldown"], "weight-decay": trained["decay"],
               "momentum": trained["momentum"], "clip": trained["clip"], "init-from": start}
    about = {"options": options, "earlier": rows, "program": "tools/gpu/train.py",
             "device": trained["device"], "torch": trained["torch"]}
    config = read_json(model, "config.json")
    config["seed"] = options["seed"]
    config["ogpt"] = {**about, **config.get("ogpt", {})}
    raw = text_of(config, 2).encode()
    with open(os.path.join(model, "config.json"), "wb") as file:
        file.write(raw)
    files = manifest["files"]
    files["config.json"] = {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    manifest = {"files": files, "step": trained["steps"], "games": trained["games"],
                "corpus_hash": trained["games_of"], "about": about}
    manifest[OWN] = own_hash(manifest)
    with open(os.path.join(model, "MANIFEST.json"), "w", encoding="utf-8") as file:
        file.write(text_of(manifest, 2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
