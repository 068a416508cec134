"""Runs the Python blocks of docs/NOTEBOOKS.md and compares with what ogpt says.

Usage: notebooks.py OGPT NOTEBOOKS.md, in a directory that holds games.ogpc, model, probe (layer 5),
all of 8x8, and the conversions tiny-mingpt and tiny-hf of model. The blocks are taken from the document,
so that it cannot go stale; the libraries are the stand-ins of notebook_libraries.py.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import torch

import notebook_libraries

# Both sides compute in float32 with other orders of summation; test_golden.c says why 1e-4.
TOLERANCE = 1e-4
CLASSES = ["empty", "theirs", "mine"]
GAME = "f5 d6 c3 d3 c4"  # of the document
LENGTHS = [1, 2, 9, 20, 33, 48]  # of games of the corpus


def blocks_of(document):
    text = Path(document).read_text()
    found = dict(re.findall(r"<!-- block: (\w+) -->\n```python\n(.*?)```", text, re.S))
    assert set(found) == {"lens", "sae", "back", "mingpt", "hf", "pickle"}, sorted(found)
    assert len(found) == text.count("```python"), "a block without a mark is not tested"
    return found


def ogpt(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ogpt {' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout)


def check_boards(program, lens):
    """The block's probe reads the boards that ogpt show reads, and its network plays the same."""
    n_cells = n_right = n_our_wrong = 0
    games = [" ".join(ogpt(program, "corpus", "show", "games.ogpc", str(i), "--json")["moves"]
                      .split()[:length]) for i, length in enumerate(LENGTHS)]
    for game in games + [GAME]:
        names = {}
        exec(lens.replace(GAME, game), names)
        shown = ogpt(program, "show", "model", "--probe", "probe", "--moves", game, "--json")
        layer = next(entry for entry in shown["layers"] if entry["layer"] == 5)
        board = names["boards"][0, -1]
        assert board.shape == (8, 8)
        read = [CLASSES[k] for k in board.flatten().tolist()]
        assert read == layer["classes"], f"{game}: another board"
        # Negative twin: turned over the diagonal it is another board, unless that is symmetric.
        turned = [CLASSES[k] for k in board.T.flatten().tolist()]
        assert turned != layer["classes"] or torch.equal(board, board.T)
        n_cells += 64
        n_right += true_cells(shown, read)
        n_our_wrong += layer["n_wrong"]
        p = names["logits"][0, -1].softmax(-1)
        for move in shown["top"]:
            square = "abcdefgh".index(move["move"][0]) + 8 * (int(move["move"][1]) - 1)
            ours = p[1 + names["squares"].index(square)].item()
            assert abs(ours - move["p"]) <= TOLERANCE, (game, move, ours)
    assert n_right == n_cells - n_our_wrong, "another accuracy"
    print(f"boards and accuracy ({n_right / n_cells:.4f}) as ogpt show says")
    return names


def true_cells(shown, read):
    """Cells of the true board, in the document of ogpt show, that `read` has right."""
    mover = {"black": "b", "white": "w"}[shown["to_move"]]
    truth = shown["board"][:64]
    names = ["empty" if c == "." else "mine" if c == mover else "theirs" for c in truth]
    return sum(a == b for a, b in zip(names, read))


def check_layouts(blocks, model):
    tokens = torch.randint(1, 61, (3, 59), generator=torch.Generator().manual_seed(1))
    names = {}
    exec(blocks["mingpt"], names)
    exec(blocks["hf"], names)
    with torch.no_grad():
        logits = model(tokens)
        for name in ("mingpt", "gpt2"):
            difference = (names[name](tokens) - logits).abs().max().item()
            print(f"{name}: largest difference of logits {difference:.2g}")
            assert difference <= TOLERANCE
        # Negative twins: one square matrix transposed, two heads exchanged.
        weight = names["mingpt"].blocks[0].attn.proj.weight
        weight.copy_(weight.T.clone())
        assert (names["mingpt"](tokens) - logits).abs().max() > 10 * TOLERANCE
        packed = names["gpt2"].transformer.h[0].attn.c_attn.weight
        packed[:, :2 * packed.shape[0]] = packed[:, :2 * packed.shape[0]].roll(8, dims=1)
        assert (names["gpt2"](tokens) - logits).abs().max() > 10 * TOLERANCE


def check_back(program, block, names):
    exec(block, names)
    done = ogpt(program, "convert", "mine.safetensors", "mine", "--from", "tl", "--check", "--json")
    ours = json.loads(Path("model/MANIFEST.json").read_text())["files"]["model.safetensors"]
    assert done["tensors_hash"] == ours["sha256"], "another file came back"
    print("back from the notebook: the same bytes")


def check_pickle(program, block):
    """The recipe is what the program prints, and turns a state dict and a bare tensor around."""
    torch.save({"head.weight": torch.ones(3, 2).T}, "in.pth")
    done = subprocess.run([program, "convert", "in.pth", "never", "--from", "mingpt"],
                          capture_output=True, text=True)
    assert done.returncode == 3 and not done.stdout, done
    assert done.stderr.startswith(block), f"printed another recipe:\n{done.stderr}\n{block}"
    exec(block, {})
    assert notebook_libraries.load_file("out.safetensors")["head.weight"].shape == (2, 3)
    torch.save(torch.ones(3, 4, 8, 8, 3), "in.pth")
    exec(block, {})
    assert list(notebook_libraries.load_file("out.safetensors")) == ["linear_probe"]


def check_sae(block, names):
    """A third of the variance is rebuilt by eight features a row; by the means alone none is."""
    exec(block, names)
    x, rebuilt, active = names["x"], names["rebuilt"], (names["features"] > 0).float().sum(-1).mean()
    error = (rebuilt - x).pow(2).sum() / (x - names["sae"]["b_dec"]).pow(2).sum()
    assert error < 0.7 and 1 < active < 30, (error, active)
    print(f"an autoencoder with L0 {active:.1f} leaves {error:.2f}")


def main():
    program, document = sys.argv[1:]
    notebook_libraries.install()
    blocks = blocks_of(document)
    names = check_boards(program, blocks["lens"])
    check_layouts(blocks, names["model"])
    check_sae(blocks["sae"], names)
    check_back(program, blocks["back"], names)
    check_pickle(program, blocks["pickle"])


if __name__ == "__main__":
    main()
