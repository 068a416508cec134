#!/bin/bash
# tests/cli/patch.sh - ogpt patch: sites, sets of edges, every edge; the same rows for any number of
# threads and after a kill; what is refused. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train net --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 4
expect 0 train wide --fresh --size 8 --layers 1 --d-model 16 --heads 2 --batch 16 --steps 1
expect 0 cases pairs pairs.csv --size 6 --n 12
expect 0 cases pairs same.csv --size 6 --n 8 --kind transposition

# Sites: 2 layers x 2 sites x 5 classes of positions, and 2 sites behind them; two directions, and noise.
sites="patch net --pairs pairs.csv --control same.csv --sites z,resid_post,final_normalized --noise"
expect 0 $sites --threads 1 --csv one --json
[ "$(json_value self_changed)" = 0 ] || fail "own values changed $(json_value self_changed) answers"
[ "$(json_value patches)" = 75 ] || fail "3 x (2 x 2 + 1) x 5 = 75 patches: $(json_value patches)"
[ "$(wc -l <one/patch_sites.csv)" = 76 ] || fail 'a row for every patch'
tr -d '"' <one/patch_sites.csv | grep -q '^noising,resid_post,1,all,12,1.0,1.0,1.0,1.0,' || fail 'the stream is the other run'
tr -d '"' <one/patch_sites.csv | grep -q '^denoising,resid_post,1,previous,12,-\?0.0,' || fail 'nobody reads it any more'
[ "$(cut -d, -f6 one/patch_sites.csv | sed 1d | sort -u | wc -l)" -gt 20 ] || fail 'effects that are all alike'
expect 0 $sites --top 100
holds 'effect in % at all positions, by layer'
expect 0 $sites --top 30
holds 'largest effects, without those of 100 % by construction'
grep -qE '^ *(de)?nois[a-z]* +resid_post [01] +all ' out && fail 'the whole stream among the largest effects'
expect 0 patch net --pairs same.csv --sites z
holds 'shares of it mean nothing' err
grep -qE 'clean +flip' out && fail 'transpositions that are called flips'
expect 0 patch "$OGPT_SOURCE/datasets/models/tiny-6x6" --pairs pairs.csv --sites z --layers 1
lacks 'shares of it mean nothing' err
expect 0 $sites --threads 3 --csv three
diff -r one three >/dev/null || fail 'threads changed a row'
expect 0 patch net --pairs pairs.csv --sites z --back 3 --direction noising --csv back --json
[ "$(json_value self_changed)" = 0 ] || fail "own values changed $(json_value self_changed) answers"
[ "$(wc -l <back/patch_sites.csv)" = 7 ] || fail '2 layers x 3 positions'

# Edges: a set, its edges, random sets; a head as receiver is its three channels.
expect 0 patch net --pairs pairs.csv --control same.csv --edges 'mlp0->logits,input->L1H0' --csv set
[ "$(wc -l <set/patch_edges.csv)" = 13 ] || fail 'a set of 4, its 4 edges, random sets; 2 directions'
tr -d '"' <set/patch_edges.csv | grep -q '^noising,input->L1H0.k,1,last,recomputed,12,' || fail 'a channel of its own'
expect 0 patch net --pairs pairs.csv --edges each --positions all --ln frozen --csv each --json
[ "$(json_value self_changed)" = null ] || fail 'own values that nobody put in'
[ "$(wc -l <each/patch_edges.csv)" = 93 ] || fail '46 edges in 2 directions'

# Killed in the middle, typed again: it goes on and finds the same. More pairs take longer.
many=100
[ "${OGPT_SANITIZED:-0}" = 1 ] && many=60
expect 0 cases pairs many.csv --size 6 --n $many
long="patch net --pairs many.csv --control same.csv --sites all --threads 1"
expect 0 $long --csv whole --store whole.db
# shellcheck disable=SC2086
stopped KILL 137 broken.db $long --csv broken --store broken.db
expect 0 $long --csv broken --store broken.db
diff -r whole broken >/dev/null || fail 'the kill changed a row'

# Refusals: one line each.
refuse 2 'site "foo"' patch net --pairs pairs.csv --sites foo
refuse 2 'mlp9' patch net --pairs pairs.csv --edges 'L0H1->mlp9'
refuse 2 'reads before' patch net --pairs pairs.csv --edges 'mlp1->L0H0.q'
refuse 2 'leave out --edges' patch net --pairs pairs.csv --edges 'mlp0->logits' --noise
refuse 2 'add --edges' patch net --pairs pairs.csv --ln frozen
refuse 2 '--layers 7' patch net --pairs pairs.csv --layers 7
refuse 2 '--pairs' patch net
refuse 3 'pairs.csv:2: clean' patch wide --pairs pairs.csv
refuse 3 'transpositions alone' patch net --pairs pairs.csv --control pairs.csv
refuse 4 'none.csv' patch net --pairs none.csv
check_end
