#!/bin/bash
# tests/cli/claims.sh - label: counted - ogpt claims: without runs it says what to type, each command works as it is printed,
# --run takes what is missing and nothing twice, and the verdicts are of stored rows.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# verdict N: of claim N, the newest.
verdict() {
    sqlite3 ogpt-results.db "SELECT verdict FROM claims WHERE claim = $1 ORDER BY run DESC LIMIT 1"
}

expect 0 train m --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 2 --batch 8
expect 0 claims m --csv none.csv
holds 'm: no run yet'
holds 'needs  ogpt world compression m'
holds 'needs  ogpt scrub m --hypothesis previous-colour-4x4'
holds '--size 4 --layers 1 --d-model 16 --heads 2 --rules iago --minutes 10'
lacks 'holds'
[ "$(wc -l <none.csv)" = 13 ] || fail 'twelve claims'

# Cheap ones, as they are printed.
mapfile -t typed < <(sed -n 's/^ *needs  ogpt //p' "$work/out" | sort -u | grep -E '^(world (comp|dist)|cases|lens)')
[ ${#typed[@]} -ge 5 ] || fail "${#typed[@]} commands are printed"
for line in "${typed[@]}"; do
    eval "expect 0 $line --quiet"
done
expect 0 claims m
lacks 'needs  ogpt world compression'
[ "$(verdict 6)" != 'no run yet' ] || fail 'claim 6 has its runs'
# A later run of less hides nothing: of few states, or without the row that is asked about.
from_run() {
    sqlite3 ogpt-results.db "SELECT from_run FROM claim_parts WHERE claim = $1 ORDER BY run DESC, row LIMIT 1"
}
whole=$(from_run 6)
expect 0 world compression m --states 5 --force
expect 0 claims m
[ "$(from_run 6)" = "$whole" ] || fail "claim 6 is of run $(from_run 6), of 5 states, and not of run $whole"
[ "$(verdict 12)" = 'no run yet' ] || fail 'claim 12 has no run'
# Half of the rows of a command: claim 1 has its own, claim 2 asks for the same command.
expect 0 neurons m --games 20 --test-games 20 --use-games 10 --ablate 10 --mean-games 20
sqlite3 ogpt-results.db 'DELETE FROM neuron_cover'
expect 0 claims m
[ "$(verdict 1)" != 'no run yet' ] || fail 'claim 1 has its run'
[ "$(verdict 2)" = 'no run yet' ] || fail 'claim 2 has no rows'
runs() {
    sqlite3 ogpt-results.db "SELECT count(*) FROM runs WHERE command LIKE '$1%' AND status = 'done'"
}
before=$(runs 'world comp')

# Minutes, even of a small network: with few games.
expect 0 sae train m --activations 20000 --k 4 --out s
expect 0 sae eval m s --fit-games 20 --validation-games 20 --test-games 20 --twin-activations 2000
expect 0 runs list
holds 'explained '
holds ' dictionaries'
expect 0 claims m
[ "$(verdict 3)" = 'not decided here' ] || fail "claim 3 is judged by an autoencoder of 20,000 rows: $(verdict 3)"
holds 'has no autoencoder that was trained on 900,000 rows'
holds 'needs  ogpt sae eval m'
[ "$(sqlite3 ogpt-results.db 'SELECT DISTINCT activations, twin_activations FROM sae_differences' | sort)" = '16384|
16384|2000' ] || fail 'rows that dictionaries were trained on'
sqlite3 ogpt-results.db 'DROP TRIGGER IF EXISTS sae_differences_append_only;
    UPDATE sae_differences SET activations = 1000000, twin_activations = 200000' || fail 'rows cannot be changed'
expect 0 claims m
lacks 'has no autoencoder'
# The same of claim 9; a renamed network is not one that was trained.
expect 0 convert m renamed --rules iago
expect 0 world align renamed m --games 50 --fit-games 100
expect 0 claims m
case $(verdict 9) in holds | fails) fail 'claim 9 is judged by a renamed network' ;; esac
expect 0 train iago --fresh --size 4 --rules iago --layers 1 --d-model 16 --heads 2 --steps 2 --batch 8
expect 0 world align iago m --games 50 --fit-games 100
expect 0 claims m
[ "$(verdict 9)" != 'no run yet' ] || fail 'claim 9 has its run'
lacks 'sae eval'

# What is missing, and nothing twice. A command that cannot be taken does not keep the others from it.
expect 1 claims m --run --threads 2
holds '$ ogpt heads m' err
holds '$ ogpt neurons m' err
[ "$(verdict 2)" != 'no run yet' ] || fail 'claim 2 lacks rows, and its command is not taken'
holds 'no probe' err
holds '3 commands could not be taken' err # no network of eight layers, no probe
grep -q 'ogpt world compression m' "$work/err" && fail 'compression is run twice'
[ "$(runs 'world comp')" = "$before" ] || fail 'run again'
[ "$(verdict 12)" != 'no run yet' ] || fail 'the last command is not taken'
[ "$(verdict 10)" = 'no run yet' ] || fail 'nothing can be edited without a probe'
expect 0 generate g.ogpc --size 4 --games 200
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 16 --no-controls --out m/probe
printf '%s\n' 'board 4x4' 'logits <- net' >previous-colour-4x4
echo 'node net = input mlp* and L0H* at self, back 1, back 2 carries everything' >>previous-colour-4x4
expect 0 claims m --run --html claims.html --markdown claims.md
holds '$ ogpt intervene m' err
lacks 'no run yet'
grep -q 'bag of heuristics' claims.html || fail 'claims.html'
[ "$(grep -c '^| [0-9]* | ' claims.md)" -ge 12 ] || fail 'claims.md has no rows'
expect 0 claims m --run
grep -q '^\$ ogpt' "$work/err" && fail 'something is run again'
refuse 2 'exists' claims m --markdown claims.md
whole=$(from_run 12)
expect 0 circuit m --pairs claims-pairs-4x4.csv --method exact,atp --no-curves
expect 0 claims m
[ "$(from_run 12)" = "$whole" ] || fail "claim 12 is of run $(from_run 12), without atp*, and not of run $whole"

# Rows decide: planted on both sides of a rule.
heads_are() {
    sqlite3 ogpt-results.db "DROP TRIGGER IF EXISTS heads_append_only; UPDATE heads SET knowing = $1, counting = $2" ||
        fail 'heads cannot be changed'
    expect 0 claims m
    [ "$(verdict 7)" = "$3" ] || fail "claim 7 with $1 and $2 heads: $(verdict 7), expected $3"
}
case $(verdict 11) in holds | fails | 'not decided here') ;; *) fail "claim 11: $(verdict 11)" ;; esac
heads_are 19 1 holds
heads_are 1 19 fails
heads_are 3 2 'not decided here'
refuse 2 'one network' claims m ./m
refuse 4 'nothing' claims nothing
check_end
