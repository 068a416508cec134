#!/bin/bash
# tests/cli/rules.sh - label: counted - rule variants: games, corpora and networks that say by which rules they are
# made, what is refused across rules, and the iago twin of a network.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# The proof of the rules, by both engines; iago plays as classic.
for rules in classic no-mid-flip iago; do
    expect 0 perft 6 --size 6 --rules $rules --json
    fast=$(json_value nodes)
    expect 0 perft 6 --size 6 --rules $rules --ref --json
    [ "$(json_value nodes)" = "$fast" ] || fail "$rules: ref $(json_value nodes), fast $fast"
    [ "$rules" = no-mid-flip ] && wanted=7636 || wanted=7604
    [ "$fast" = $wanted ] || fail "$rules: $fast leaves, expected $wanted"
    expect 0 generate $rules.ogpc --games 300 --size 6 --rules $rules --quiet
    expect 0 corpus info $rules.ogpc --json
    [ "$(json_value rules)" = $rules ] || fail "corpus info: $(json_value rules), expected $rules"
    expect 0 verify $rules.ogpc
done
refuse 2 "one of classic|no-mid-flip|iago expected" generate new.ogpc --games 10 --rules othello
refuse 2 "by the rules classic, asked for iago" generate classic.ogpc --games 300 --size 6 --rules iago

# A network takes its rules from the corpus, or from --rules with --fresh.
shape="--layers 1 --d-model 16 --heads 2 --batch 16 --steps 4 --lanes 2 --precision f32 --quiet"
for rules in classic no-mid-flip; do
    expect 0 train net-$rules --corpus $rules.ogpc $shape
    expect 0 eval net-$rules --corpus $rules.ogpc --games 20 --quiet
done
refuse 2 "by the rules classic, --rules asks for iago" train other --corpus classic.ogpc --rules iago $shape
expect 0 train fresh-ends --fresh --size 6 --rules no-mid-flip $shape
expect 0 eval fresh-ends --corpus no-mid-flip.ogpc --games 20 --quiet
refuse 2 "on games fresh:106:1, asked for fresh:6:1" train fresh-ends --fresh --size 6 $shape
refuse 2 "with --rules classic, asked for iago" train net-classic --corpus iago.ogpc $shape # the same games
expect 0 train again --init-from fresh-ends --steps 4 --quiet # takes the rules with the options
expect 0 eval again --corpus no-mid-flip.ogpc --games 20 --quiet

# What judges refuses games of other rules, both named.
for what in "eval net-no-mid-flip" "probe fit net-no-mid-flip --out p" "heads net-no-mid-flip" \
    "lens net-no-mid-flip"; do
    # shellcheck disable=SC2086
    refuse 3 "holds games by the rules classic, the model" $what --corpus classic.ogpc
    holds "plays by no-mid-flip" err
done
refuse 3 "by the rules no-mid-flip" eval net-classic --corpus no-mid-flip.ogpc

# The iago twin: other bytes, the same play; and back to the same bytes.
expect 0 convert net-classic twin --rules iago --quiet
grep -q '^moves named by *iago' "$work/out" || fail 'convert does not say that moves are named by iago'
expect 0 world align twin net-classic --games 4 --fit-games 20 --json
[ "$(json_value largest_rest)" = 0.0 ] || fail "a twin leaves $(json_value largest_rest)"
refuse 3 "by the rules classic" eval twin --corpus classic.ogpc
refuse 2 "their games differ" convert net-classic never --rules no-mid-flip
refuse 2 "--rules means nothing with another layout" convert net-classic never --to mingpt --rules iago
expect 0 convert twin back --rules classic --quiet
cmp -s back/model.safetensors net-classic/step-00000004/model.safetensors || fail "other bytes came back"
cmp -s twin/model.safetensors net-classic/step-00000004/model.safetensors && fail "no token was renamed"
expect 0 eval net-classic --corpus classic.ogpc --games 20 --json
for key in strict_error lenient_error floor positions; do
    eval "was_$key=$(json_value $key)"
done
expect 0 eval twin --corpus iago.ogpc --games 20 --json
for key in strict_error lenient_error floor positions; do
    was=was_$key
    [ "$(json_value $key)" = "${!was}" ] || fail "$key: classic ${!was}, iago $(json_value $key)"
done
expect 0 verify twin

# A notebook keeps config.json and the weights, and loses the manifest: the rules stay.
for made in "twin iago" "net-no-mid-flip no-mid-flip" "net-classic classic"; do
    read -r net rules <<<"$made"
    expect 0 convert $net there --to hf-gpt2 --quiet --force
    mkdir bare
    cp there/config.json there/model.safetensors bare
    expect 0 convert bare here --from hf-gpt2 --quiet --force
    expect 0 eval here --corpus $rules.ogpc --games 20 --quiet
    [ $rules != classic ] || expect 0 convert here renamed --rules iago --quiet --force
    rm -r bare
done
mkdir bare
cp net-no-mid-flip/step-00000004/{config.json,model.safetensors} bare # as train wrote it
expect 0 convert bare here --from tl --quiet --force
expect 0 eval here --corpus no-mid-flip.ogpc --games 20 --quiet
sed -i 's/"no-mid-flip"/"othello"/' bare/config.json
refuse 3 "expected classic|no-mid-flip|iago, found othello" convert bare odd --from tl --quiet

# What a command says to type next names the rules, and works: next_works COMMAND...
next_works() {
    expect 0 "$@"
    sed -n 's/^next: ogpt //p' err >said
    grep -q -- "--size 6 --rules no-mid-flip" said || fail "ogpt $*: no hint names the rules"
    grep -E '^(generate|cases|show|eval) ' said >typed
    while read -r line; do
        eval "expect 0 $line"
    done <typed
}
own=(--size 6 --rules no-mid-flip)
next_works train hinted --fresh "${own[@]}" ${shape% --quiet}
next_works cases make cases.csv --n 40 "${own[@]}"
lacks tiny-6x6 said
refuse 3 "(by the rules classic; it is sound by no-mid-flip: give --rules no-mid-flip" cases show cases.csv 0 --size 6
next_works cases pairs pairs.csv --n 20 "${own[@]}"
next_works cases import theirs.csv cases.csv "${own[@]}"
expect 0 probe fit net-no-mid-flip --corpus no-mid-flip.ogpc --out probe --games 60 --test-games 20 --no-controls
sed -n 's/^next: ogpt //p' err >said
holds "--size 6 --rules no-mid-flip" said
expect 0 world adversary net-no-mid-flip --games 20 --strict-games 4 --history-steps 20 --mistake-games 64 --goal illegal --found found
sed -n 's/^next: ogpt //p' err >said
holds "--size 6 --rules no-mid-flip" said
expect 0 cases make classic.csv --n 5 --size 6
lacks "--rules" err

# Games of these rules go out and come back.
for made in "no-mid-flip text" "no-mid-flip pgn" "iago npy --as tokens"; do
    read -r rules form as <<<"$made"
    expect 0 export $rules.ogpc games.$form --format $form $as --quiet
    expect 0 import back.ogpc games.$form --size 6 --rules $rules $as --quiet --force
    expect 0 corpus info back.ogpc --json
    [ "$(json_value rules)" = $rules ] || fail "import: rules $(json_value rules), expected $rules"
    [ "$(json_value games)" = 300 ] || fail "import: $(json_value games) games came back"
done
expect 3 import never.ogpc games.text --size 6
expect 3 import never.ogpc games.npy --size 6 --as tokens

# Two networks of one study play by the same rules; so do a start and the games that follow, as to tokens.
for second in "lens net-classic --other" "basis net-classic --beside"; do
    for rules in no-mid-flip iago; do
        [ $rules = iago ] && other=twin || other=net-no-mid-flip
        # shellcheck disable=SC2086
        refuse 3 "${second##* } $other" $second $other --quiet
        holds "by the rules $rules, net-classic" err
        holds "by classic" err
    done
done
refuse 2 "ogpt convert twin OUT --rules classic" train joined --corpus classic.ogpc --init-from twin $shape
refuse 2 "ogpt convert net-classic OUT --rules iago" train joined --fresh --size 6 --rules iago --init-from net-classic $shape
[ -e joined ] && fail "a refused start made a run"
expect 0 train joined --corpus iago.ogpc --init-from twin $shape
expect 0 train other-play --corpus no-mid-flip.ogpc --init-from net-classic $shape
check_end
