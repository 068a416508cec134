#!/bin/bash
# tests/cli/hostile_hands.sh - what somebody else left, or a limit of the system, in the way of a whole
# command: foreign lock files, symbolic links, devices, a limit on the size of files, a folder of
# activations whose making was killed, a refused command on a corpus in a read-only folder.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate games.ogpc --games 2000 --size 4 --quiet
[ -e games.ogpc.lock ] && fail "a finished generate left its lock"

# Foreign lock files keep every byte.
for name in Cargo poetry; do
    echo 'version = 3' >$name.lock
    refuse 2 "$name.lock" generate $name --games 10 --size 4
    [ "$(cat $name.lock)" = 'version = 3' ] || fail "$name.lock was overwritten"
    [ -e $name ] && fail "generate made $name beside a foreign lock"
done
mkdir run
echo 'theirs' >run/LOCK
refuse 2 'run/LOCK' train run --corpus games.ogpc --layers 1 --d-model 8 --heads 1 --steps 1 --quiet
[ "$(cat run/LOCK)" = theirs ] || fail "run/LOCK was overwritten"
rm -r run

# Two names of one corpus: the second writer is refused as a second writer.
"$OGPT" generate long.ogpc --games 100000000 --size 4 --quiet >/dev/null 2>&1 &
first=$!
for _ in $(seq 300); do
    [ -e long.ogpc.lock ] && [ -s long.ogpc ] && break
    sleep 0.1
done
ln -s long.ogpc alias.ogpc
refuse 5 "locked by process $first" generate alias.ogpc --games 100000000 --size 4
kill -KILL $first
wait $first 2>/dev/null

# What a command reads it does not write over, under any name and whatever --force says.
expect 0 cases make kept.csv --n 3 --size 4 --min-moves 2 --before-end 2 --quiet
cp kept.csv before.csv
ln -s kept.csv other-name.csv
for option in "--csv kept.csv" "--html kept.csv" "--csv other-name.csv"; do
    # shellcheck disable=SC2086
    refuse 2 'another word of this command line names it' cases show kept.csv 0 $option
done
refuse 2 'another word of this command line names it' cases make kept.csv --n 3 --size 4 --csv kept.csv --force
refuse 2 'another word of this command line names it' cases make new.csv --n 3 --size 4 --csv ./new.csv --force
refuse 2 'another word of this command line names it' cases make new.csv --n 3 --size 4 --csv two.html --html two.html
[ ! -e new.csv ] && [ ! -e two.html ] || fail "a refused command wrote a file"
# Nor the results database, nor what lies in the folder of the tables.
expect 0 perft 2 --size 4 --store d.db --quiet
before=$(sha256sum d.db)
refuse 2 'another word of this command line names it' runs list --store d.db --html d.db --force
refuse 2 'is the results database' cases make d.db --n 2 --size 4 --store d.db --force
mkdir tables
refuse 2 'another word of this command line names it' cases make tables/cases.csv --n 2 --size 4 --csv tables --force
refuse 2 'another word of this command line names it' circuit tiny-6x6 --pairs kept.csv --out t2/circuit.csv --csv t2
refuse 2 'another word of this command line names it' plant backup x --size 4 --pairs x
[ ! -e x ] && [ ! -e t2 ] || fail "a refused command made something"
[ "$(sha256sum d.db)" = "$before" ] || fail "a refused command changed the results database"
expect 0 runs table last_evals --csv last_evals --store d.db --quiet # a folder called as a word is no such file
refuse 2 'another word of this command line names it' circuit tiny-6x6 --pairs kept.csv --svg kept.csv --force
cmp -s kept.csv before.csv || fail "the cases were written over"
expect 0 cases show kept.csv 0 --csv shown.csv # the twin

# A second name by a hard link: locks and journals go by name, so neither is written to.
ln games.ogpc hard.ogpc
before=$(sha256sum games.ogpc)
for name in games hard; do
    refuse 2 'hard links' generate $name.ogpc --games 3000 --size 4
    [ -e $name.ogpc.lock ] && fail "$name.ogpc: a lock stays"
done
[ "$(sha256sum games.ogpc)" = "$before" ] || fail "a refused generate changed the corpus"
expect 0 corpus info hard.ogpc
rm hard.ogpc
expect 0 generate games.ogpc --games 2000 --size 4 --quiet # the twin
expect 0 perft 2 --store one.db --quiet
ln one.db two.db
refuse 2 'hard links' perft 2 --store two.db --quiet
expect 0 runs list --store two.db

# What is no file is no database.
refuse 3 '/dev/null: a device' perft 2 --store /dev/null
[ -e /dev/null-journal ] && fail "/dev/null-journal was made"

# A refused command changes no byte of a corpus.
before=$(sha256sum games.ogpc)
refuse 2 'asked for' generate games.ogpc --games 2000 --size 4 --seed 9
[ "$(sha256sum games.ogpc)" = "$before" ] || fail "a refused generate changed the corpus"
compgen -G 'games.ogpc-*' >/dev/null && fail "a refused generate left $(ls games.ogpc-*)"

# A limit on the size of files is an error of the environment.
code=0
(ulimit -f 64; exec "$OGPT" generate big.ogpc --games 200000 --size 4 --store small.db) 2>limit.err ||
    code=$?
[ $code = 4 ] || fail "ulimit -f: exit code 4 expected, found $code"
[ "$(grep -c '^ogpt: ' limit.err)" = 1 ] || fail "ulimit -f: one line expected: $(cat limit.err)"
expect 0 generate big.ogpc --games 200000 --size 4 --store small.db

# A folder whose first index never got its name is taken again.
expect 0 train net --corpus games.ogpc --layers 1 --d-model 8 --heads 1 --steps 2 --quiet
mkdir acts
echo '{' >acts/.tmp-4194399-index.json
echo 'ogpt lock of process 4194399 on elsewhere' >acts/LOCK
expect 0 activations net acts --corpus games.ogpc --games 5 --quiet
[ -e acts/index.json ] || fail "no index"
compgen -G 'acts/.tmp-*' >/dev/null && fail "leftovers: $(ls -A acts)"
[ -e acts/LOCK ] && fail "the lock of a dead process stays"
mkdir other
echo 1 >other/notes
refuse 2 'not touched' activations net other --corpus games.ogpc --games 5 # the twin

# Another core type of the BLAS library: training goes on, with a warning.
core=$("$OGPT" --version --json | sed -n 's/^ *"blas_core": "\(.*\)",*$/\1/p')
small='--fresh --size 4 --layers 1 --d-model 8 --heads 1 --checkpoint-every 1 --schedule constant --warmup 0 --quiet'
expect 0 train cores $small --steps 1
expect 0 train cores $small --steps 2
grep -q 'core type' err && fail "a warning about the same core type"
for other in Haswell Sandybridge Prescott; do
    [ "$other" = "$core" ] && continue
    if OPENBLAS_CORETYPE=$other "$OGPT" train cores $small --steps 3 >out 2>err; then
        now=$(OPENBLAS_CORETYPE=$other "$OGPT" --version --json |
            sed -n 's/^ *"blas_core": "\(.*\)",*$/\1/p')
        [ "$now" = "$core" ] || grep -q "core type $core and goes on with $now" err ||
            fail "no warning about $core and $now: $(cat err)"
        break
    fi
done

# A database is made by commands that have results for it, where --store or OGPT_STORE says.
mkdir empty
cd empty || exit 1
expect 0 verify ../games.ogpc
expect 0 cases make c.csv --n 2 --size 4 --min-moves 2 --before-end 2
[ -e ogpt-results.db ] && fail "a database without results was made"
OGPT_STORE=named.db expect 0 perft 2 --quiet
[ -e named.db ] || fail "OGPT_STORE was not followed"
OGPT_STORE=named.db expect 0 perft 2 --quiet --store given.db
[ -e given.db ] || fail "--store comes before OGPT_STORE"
[ -e ogpt-results.db ] && fail "the default was made, too"
OGPT_STORE=named.db expect 0 runs list
holds perft
expect 0 perft 2 --quiet # the twin
[ -e ogpt-results.db ] || fail "no database for a result"
cd ..

check_end
