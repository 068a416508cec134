"""Random games, game i of a seed exactly as `ogpt train --fresh --seed` makes it.

GameMaker makes them by games.cu, one thread a game. make_games_plain says the same in PyTorch: it
is the fallback, and every start compares 64 games of the two. Boards are int64 tensors of 64 bits,
square 8 * row + column as in game/board.h; the draws are base/rng.h's.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
import time

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
START = time.time()
M32 = 0xFFFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF
RNG_GENERATE, RNG_FRESH, RNG_HELDOUT = 1, 2, 3  # purposes of base/rng.h


def say(*words):
    """One line of progress, with the seconds since the start."""
    print(f"[{time.time() - START:6.1f}]", *words, flush=True)


def mulhilo(a, b):
    """High and low word of a constant times an int64 tensor, both below 2^32."""
    low_part, high_part = a * (b & 0xFFFF), a * (b >> 16)  # each below 2^48
    low = low_part + ((high_part & 0xFFFF) << 16)
    return ((high_part >> 16) + (low >> 32)) & M32, low & M32


def philox(seed, index, purpose, block):
    """(4, N) words of block `block` (N) of the streams (seed, purpose, index (N))."""
    k0, k1 = seed & M32, (seed >> 32) & M32
    c0, c1 = index & M32, (index >> 32) & M32
    c2, c3 = torch.full_like(index, purpose), block & M32
    for _ in range(10):
        h0, l0 = mulhilo(0xD2511F53, c0)
        h1, l1 = mulhilo(0xCD9E8D57, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return torch.stack((c0, c1, c2, c3))


def s64(x):
    """A number of 64 bits -> the int64 with the same bits."""
    return x - (1 << 64) if x >> 63 else x


class Variant:
    """A board size, with its squares, start and tokens (token t is the t-th playable square)."""

    def __init__(self, size):
        self.size = size
        squares = [8 * r + c for r in range(size) for c in range(size)]
        self.mask = sum(1 << s for s in squares)
        a = size // 2 - 1
        centre = [8 * a + a, 8 * a + a + 1, 8 * (a + 1) + a, 8 * (a + 1) + a + 1]
        self.squares = [s for s in squares if s not in centre]
        self.n_moves = len(self.squares)
        self.black = (1 << centre[1]) | (1 << centre[2])  # e4, d5 on 8x8
        self.white = (1 << centre[0]) | (1 << centre[3])
        self.token = [0] * 64
        for t, s in enumerate(self.squares):
            self.token[s] = t + 1
        # A shift must not wrap around the edge of the 8x8 grid.
        left, right = 0xFEFEFEFEFEFEFEFE, 0x7F7F7F7F7F7F7F7F  # without column a, column h
        self.directions = []
        for d, keep in ((1, left), (-1, right), (8, M64), (-8, M64),
                        (9, left), (-9, right), (7, right), (-7, left)):
            filled = M64 >> -d if d < 0 else M64  # >> of an int64 copies the sign
            self.directions.append((d, s64(keep & self.mask & filled)))

    def text(self, tokens):
        """A game as `ogpt export --format text` writes it, without spaces."""
        return "".join("abcdefgh"[self.squares[t - 1] % 8] + str(self.squares[t - 1] // 8 + 1)
                       for t in tokens if t > 0)


def shift(x, d, mask):
    return ((x << d) if d > 0 else (x >> -d)) & mask


def legal(variant, mine, theirs):
    empty = ~(mine | theirs) & s64(variant.mask)
    out = torch.zeros_like(mine)
    for d, mask in variant.directions:
        x = shift(mine, d, mask) & theirs
        for _ in range(variant.size - 3):
            x = x | (shift(x, d, mask) & theirs)
        out = out | (shift(x, d, mask) & empty)
    return out


def flips(variant, mine, theirs, move):
    out = torch.zeros_like(mine)
    for d, mask in variant.directions:
        x = shift(move, d, mask) & theirs
        for _ in range(variant.size - 3):
            x = x | (shift(x, d, mask) & theirs)
        hit = (shift(x, d, mask) & mine) != 0
        out = out | torch.where(hit, x, torch.zeros_like(x))
    return out


def popcount(x):
    x = x - ((x >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    return ((x * 0x0101010101010101) >> 56) & 0xFF


def select(mask, rank):
    """Index of the set bit of that rank (0 = lowest), by binary search."""
    at = torch.zeros_like(mask)
    for width in (32, 16, 8, 4, 2, 1):
        n = popcount((mask >> at) & ((1 << width) - 1))
        up = rank >= n
        rank = torch.where(up, rank - n, rank)
        at = torch.where(up, at + width, at)
    return at


def draw_below(seed, index, purpose, used, n):
    """(rank, draws used): uniform below n, by Lemire 2019. A draw is rejected once in 10^8 times,
    so two tries are enough."""
    threshold = ((1 << 32) - n) % n
    rank = again = None
    for _ in range(2):
        word = philox(seed, index, purpose, used >> 2).gather(0, (used & 3)[None])[0]
        product = word * n
        bad = (product & M32) < threshold
        if rank is None:
            rank, used, again = product >> 32, used + 1, bad
        else:
            rank = torch.where(again, product >> 32, rank)
            used, again = used + again.long(), again & bad
    return rank, used


def make_games_plain(variant, seed, purpose, index):
    """index (N) -> tokens (N, n_moves) int64, 0 after the end; (N) sum of ln(number of legal moves)
    from the second move on, the ones that a network predicts; (N) how many those are."""
    n_games, device = index.shape[0], index.device
    mine = torch.full((n_games,), s64(variant.black), dtype=torch.int64, device=device)
    theirs = torch.full((n_games,), s64(variant.white), dtype=torch.int64, device=device)
    table = torch.tensor(variant.token, dtype=torch.int64, device=device)
    used = torch.zeros(n_games, dtype=torch.int64, device=device)
    out = []
    floor, count = torch.zeros(n_games, device=device), torch.zeros(n_games, device=device)
    for ply in range(variant.n_moves):
        moves = legal(variant, mine, theirs)
        passed = moves == 0
        moves = torch.where(passed, legal(variant, theirs, mine), moves)
        mine, theirs = torch.where(passed, theirs, mine), torch.where(passed, mine, theirs)
        over = moves == 0
        n = torch.clamp(popcount(moves), min=1)
        rank, used = draw_below(seed, index, purpose, used, n)
        sq = select(moves, rank)
        move = torch.where(over, torch.zeros_like(sq), torch.ones_like(sq) << sq)
        turned = flips(variant, mine, theirs, move)
        mine, theirs = (torch.where(over, mine, theirs & ~turned),
                        torch.where(over, theirs, mine | turned | move))
        out.append(torch.where(over, torch.zeros_like(sq), table[sq]))
        if ply > 0:
            floor = floor + torch.where(over, torch.zeros_like(floor), torch.log(n.float()))
            count = count + (~over).float()
    return torch.stack(out, 1), floor, count


class GameMaker:
    """Games of any seed into tensors on one device. `library` is None where PyTorch makes them."""

    def __init__(self, variant, device):
        self.variant, self.device, self.library = variant, device, None
        try:
            if os.environ.get("PLAIN_GAMES"):
                raise RuntimeError("PLAIN_GAMES is set")
            self.library = self.load()
            have = self.make(5, RNG_FRESH, 7, 64)
            want = make_games_plain(variant, 5, RNG_FRESH, torch.arange(7, 71, device=device))
            if not torch.equal(have[0].long(), want[0]) or any(
                    abs(have[i].sum() - want[i].sum()) > 0.01 for i in (1, 2)):
                raise RuntimeError("games.cu and PyTorch differ")
        except Exception as problem:
            say("games by PyTorch:", repr(problem)[:300])
            self.library = None

    def load(self):
        """games.cu as a library: the one beside it, or built now (by g++ for the CPU)."""
        cuda = self.device == "cuda"
        name = "games.so" if cuda else "games_cpu.so"
        source, ready = os.path.join(HERE, "games.cu"), os.path.join(HERE, name)
        with tempfile.TemporaryDirectory() as folder:
            if not os.path.exists(ready):
                ready = os.path.join(folder, name)
                nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
                compiler = ([nvcc, "-O3", "-arch=native", "-Xcompiler", "-fPIC"] if cuda
                            else ["g++", "-x", "c++", "-O2", "-fPIC"])
                subprocess.run(compiler + ["-shared", source, "-o", ready], check=True)
            library = ctypes.CDLL(ready)
        pointer = ctypes.c_void_p
        library.make_games.argtypes = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64,
                                       ctypes.c_int, ctypes.c_int] + 4 * [pointer]
        library.make_games.restype = ctypes.c_int
        return library

    def room(self, n):
        """Tensors for n games: tokens (n, n_moves) uint8, floor sums (n), counts (n)."""
        return (torch.zeros(n, self.variant.n_moves, dtype=torch.uint8, device=self.device),
                torch.zeros(n, device=self.device), torch.zeros(n, device=self.device))

    def make(self, seed, purpose, first, n, out=None):
        """Games first..first+n-1 of (seed, purpose) into `out`, or into new room()."""
        out = out or self.room(n)
        if self.library:
            stream = torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0
            code = self.library.make_games(seed, purpose, first, n, self.variant.size,
                                           *(x.data_ptr() for x in out), stream)
            if code:
                raise RuntimeError(f"games.cu: CUDA error {code}")
        else:
            index = torch.arange(first, first + n, device=self.device)
            for target, made in zip(out, make_games_plain(self.variant, seed, purpose, index)):
                target.copy_(made)
        return out
