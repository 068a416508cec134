#!/bin/bash
# tests/cli/bad_input.sh - label: counted - what the program refuses: one line that names the file and says what
# to do, the exit code of the contract, and nothing lost. A full disk is in full_disk.sh.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

shape=(--layers 1 --d-model 16 --heads 2 --batch 16)
fit=(--games 60 --test-games 20 --no-controls --quiet)

# state: everything below the working directory that a refused command must leave alone.
state() {
    find . -type f ! -name out ! -name err ! -name before ! -name after ! -name '*.db*' \
        ! -name '*.lock' ! -name LOCK -exec sha256sum {} + | sort -k 2
}

# spoil FROM TO: a copy with one byte in the middle changed; in a corpus well inside a page, so that it
# is a move and not the structure of the database.
spoil() {
    local at byte
    at=$(($(stat -c %s "$1") / 2 + 700))
    byte=$(dd if="$1" bs=1 skip=$at count=1 2>/dev/null | od -An -tu1)
    cp "$1" "$2"
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((255 - byte)))" | dd of="$2" bs=1 seek=$at conv=notrunc 2>/dev/null
}

# What the rest of this script must not change.
expect 0 generate six.ogpc --games 3000 --size 6 --quiet
expect 0 generate four.ogpc --games 500 --size 4 --quiet
expect 0 train six --corpus six.ogpc "${shape[@]}" --steps 4 --quiet
expect 0 train other --corpus six.ogpc "${shape[@]}" --steps 4 --seed 2 --quiet
expect 0 train four --fresh --size 4 "${shape[@]}" --steps 4 --quiet
expect 0 probe fit six --corpus six.ogpc --out probe "${fit[@]}"
expect 0 cases make cases.csv --n 5 --size 6 --quiet
expect 0 cases pairs pairs.csv --n 5 --size 6 --quiet
expect 0 cases make four.csv --n 5 --size 4 --quiet
expect 0 cases pairs four-pairs.csv --n 5 --size 4 --quiet
sound=(six.ogpc four.ogpc six other four probe)
expect 0 verify "${sound[@]}"
printf '\1\2 no database' >odd.bin
state >before

# Illegal game text: the place in the text, and what was expected there.
show=(show six --probe probe --moves)
refuse 3 "--moves: character 4, ply 2: a1 flips nothing for white" "${show[@]}" "e4 a1"
refuse 3 "c3 is occupied" "${show[@]}" "e4 c3"
refuse 3 "expected a square a1 to f6, found 'h8'" "${show[@]}" "e4 h8"
refuse 3 "expected a square a1 to f6, found 'z9'" "${show[@]}" "z9"
refuse 3 "expected a square a1 to f6, found 'f'" "${show[@]}" "e4 f"
refuse 3 "found byte 0xff" "${show[@]}" "$(printf 'e4\377')"
refuse 2 "found an empty text" "${show[@]}" ""
expect 0 "${show[@]}" "e4"

# A damaged block, in every command that reads the corpus; commands on it leave nothing behind.
spoil six.ogpc spoilt.ogpc
refuse 3 "spoilt.ogpc: block 1: damaged" eval six --corpus spoilt.ogpc --quiet
holds "generate the corpus again" err
refuse 3 "spoilt.ogpc: block 1: damaged" train never --corpus spoilt.ogpc "${shape[@]}" --quiet
refuse 3 "spoilt.ogpc: block 1: damaged" probe fit six --corpus spoilt.ogpc --out never "${fit[@]}"
refuse 3 "spoilt.ogpc: block 1: damaged" probe eval six probe --corpus spoilt.ogpc "${fit[@]}"
[ -e never ] && fail "a refused command left its output"
expect 3 verify spoilt.ogpc
holds "spoilt.ogpc: block 1: damaged"
[ "$(grep -c '^ogpt: ' err)" = 1 ] && [ "$(wc -l <err)" = 1 ] || fail "verify: one line expected"
# The command that made it, typed again, does not claim that all is well.
refuse 3 "spoilt.ogpc: block 1: damaged" generate spoilt.ogpc --games 3000 --size 6 --quiet
rm spoilt.ogpc
head -c 40000 six.ogpc >short.ogpc
refuse 3 "short.ogpc" corpus info short.ogpc
refuse 3 "short.ogpc" eval six --corpus short.ogpc --quiet
expect 3 verify short.ogpc
rm short.ogpc

# A truncated model; a run goes back to the checkpoint before, and says so.
cp -r six/step-00000004 cut
truncate -s 5000 cut/model.safetensors
for command in "eval cut --corpus six.ogpc --quiet" "show cut --probe probe --moves e4" \
    "probe fit cut --corpus six.ogpc --out never --quiet" \
    "intervene cut --probe probe --cases cases.csv --layers 0 --scale 1 --quiet"; do
    # shellcheck disable=SC2086
    refuse 3 "cut/model.safetensors: expected" $command
    holds "found 5000; use another copy" err
done
expect 3 verify cut
holds "cut/model.safetensors"
rm -r cut
cp -r six run
truncate -s 5000 run/step-00000004/model.safetensors
expect 0 eval run --corpus six.ogpc --games 10 --quiet
holds "passed over a damaged checkpoint: run/step-00000004" err
expect 3 verify run
rm -r run
# One byte changed at equal length, which no reader of the container could notice.
cp -r six/step-00000004 cut
spoil cut/model.safetensors flipped && mv flipped cut/model.safetensors
refuse 3 "cut/model.safetensors" eval cut --corpus six.ogpc --quiet
expect 3 verify cut
rm -r cut
cp -r probe cut
spoil cut/probe.safetensors flipped && mv flipped cut/probe.safetensors
refuse 3 "cut/probe.safetensors" show six --probe cut --moves e4
expect 3 verify cut
rm -r cut

# A pickle, as a file and inside a directory of ours.
printf '\200\002}q\001X\005\000\000\000modelq\002' >old.pt
printf 'PK\003\004\024\000\000\000archive/data.pkl' >new.pt
refuse 3 "old.pt: expected safetensors, found a pickle" eval old.pt --corpus six.ogpc --quiet
holds "convert it" err
refuse 3 "new.pt: expected safetensors, found a zip archive" eval new.pt --corpus six.ogpc --quiet
refuse 3 "found a zip" train never --fresh --init-from new.pt --quiet
rm old.pt new.pt

# A probe of another model, and of another board size.
edit=(--cases cases.csv --layers 0 --scale 1 --quiet)
refuse 3 "probe: fitted on model" show other --probe probe --moves e4
holds "fit a probe on this model" err
refuse 3 "probe: fitted on model" probe eval other probe --corpus six.ogpc "${fit[@]}"
refuse 3 "probe: fitted on model" intervene other --probe probe "${edit[@]}"
refuse 3 "probe: fitted on model" show four --probe probe --moves d3
refuse 3 "probe: fitted on model" intervene four --probe probe "${edit[@]}"
# Games and cases of another board size.
refuse 3 "four.ogpc" eval six --corpus four.ogpc --quiet
holds "use a corpus of the model's board size" err
refuse 3 "4x4" probe fit six --corpus four.ogpc --out never "${fit[@]}"
refuse 3 "4x4" probe eval six probe --corpus four.ogpc "${fit[@]}"
refuse 3 "four.csv:2:" intervene six --probe probe --cases four.csv --layers 0 --scale 1 --quiet
refuse 2 "another output" train six --corpus four.ogpc "${shape[@]}" --steps 4 --quiet
refuse 2 "four.ogpc holds games of size 4" train never --corpus four.ogpc --size 6 --quiet

# Wrong options, and outputs that hold something else.
refuse 2 "did you mean '--corpus'?" eval six --corpsu six.ogpc
refuse 2 "did you mean '--steps'?" train never --fresh --step 3
refuse 2 "--games" eval six --corpus six.ogpc --games 0
refuse 2 "--l2" probe fit six --corpus six.ogpc --out never --l2 -1
refuse 2 "--layers" intervene six --probe probe --cases cases.csv --layers 9
refuse 2 "does not divide" train never --fresh --d-model 10 --heads 3
refuse 2 "give either --corpus CORPUS or --fresh" train never
refuse 2 "--corpus" eval six
refuse 2 "fitted with --games 60, asked for 70" probe fit six --corpus six.ogpc --out probe \
    --games 70 --test-games 20 --no-controls --quiet
refuse 2 "six was planned for 4 steps" train six --corpus six.ogpc "${shape[@]}" --steps 5 --quiet
refuse 2 "cases.csv:7: holds other cases" cases make cases.csv --n 6 --size 6 --quiet
refuse 2 "pairs.csv:7: holds other pairs" cases pairs pairs.csv --n 6 --size 6 --quiet
refuse 2 "pairs.csv has no pair 5: it holds pairs 0 to 4" cases show pairs.csv 5
refuse 2 "games on this board are too short" cases pairs never.csv --size 4 --before-end 10 --quiet
refuse 3 "pairs.csv:2: clean: character 1, ply 1" cases show pairs.csv 0 --size 8
refuse 2 "probe: holds a model or a probe" train probe --fresh --size 6 --steps 2 --quiet
refuse 2 "cases.csv: a file" train cases.csv --fresh --size 6 --steps 2 --quiet
refuse 2 "six: is not a probe" probe fit six --corpus six.ogpc --out six "${fit[@]}"
refuse 2 "cases.csv: is not a probe" probe fit six --corpus six.ogpc --out cases.csv "${fit[@]}"
refuse 3 "cases.csv" generate cases.csv --games 5 --quiet
refuse 3 "another kind of file" generate ogpt-results.db --games 5 --quiet
refuse 3 "six: expected a corpus file, found a directory" generate six --games 5 --quiet
for name in cases.csv ogpt-results.db six; do
    [ -e $name.lock ] && fail "a refused generate left $name.lock"
done

# Missing files (4), and files of another kind (3), in every place that takes one.
refuse 4 "nowhere" eval nowhere --corpus six.ogpc --quiet
refuse 4 "nowhere" eval six --corpus nowhere --quiet
refuse 4 "nowhere" train never --corpus nowhere --quiet
refuse 4 "nowhere" probe fit six --corpus nowhere --out never --quiet
refuse 4 "nowhere" show six --probe nowhere --moves e4
refuse 4 "nowhere" intervene six --probe nowhere "${edit[@]}"
refuse 4 "nowhere" intervene six --probe probe --cases nowhere --layers 0 --scale 1 --quiet
refuse 4 "nowhere" cases show nowhere 0
refuse 4 "nowhere" cases make nowhere/cases.csv --n 5 --quiet
refuse 4 "nowhere" generate nowhere/games.ogpc --games 5 --quiet
refuse 3 "cases.csv" eval six --corpus cases.csv --quiet
refuse 3 "six" eval six --corpus six --quiet
refuse 3 "this is another kind of file" eval six --corpus ogpt-results.db --quiet
refuse 3 "six.ogpc" eval six.ogpc --corpus six.ogpc --quiet
refuse 3 "probe" eval probe --corpus six.ogpc --quiet
refuse 3 "cases.csv" show six --probe cases.csv --moves e4
refuse 3 "six" show six --probe six --moves e4
refuse 3 "probe: expected a case file" intervene six --probe probe --cases probe --layers 0 \
    --scale 1
refuse 3 "six.ogpc:1:" intervene six --probe probe --cases six.ogpc --layers 0 --scale 1 --quiet
refuse 2 "cases.csv: a text file; verify checks corpora" verify cases.csv
expect 3 verify odd.bin
holds "odd.bin: file is not a database"
holds "this is another kind of file, or damaged at its beginning: name another"
lacks "ogpt verify"

# Results that stdout cannot take.
for command in "corpus info six.ogpc" "eval six --corpus six.ogpc --games 10 --quiet --json" \
    "show six --probe probe --moves e4" "runs list"; do
    code=0
    # shellcheck disable=SC2086
    "$OGPT" $command >/dev/full 2>err || code=$?
    [ "$code" = 4 ] || fail "$command > /dev/full: exit code 4 expected, found $code"
    holds "ogpt: cannot write the result to stdout: No space left" err
    [ "$(wc -l <err)" = 1 ] || fail "$command > /dev/full: one line expected"
done

# Nothing lost: the same bytes as before all this, and they verify.
[ -e never ] && fail "a refused command left its output"
state >after
cmp -s before after || fail "changed by refused commands: $(diff before after | head -3)"
expect 0 verify "${sound[@]}" ogpt-results.db
holds "clean"
check_end
