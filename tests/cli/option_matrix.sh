#!/bin/bash
# tests/cli/option_matrix.sh - label: slow - every wrong way to type every option of every command,
# made from the help pages themselves: exit code 2, one line with what to do, no file.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

mkdir empty
cd empty || exit 1
n_tried=0
stride=1
[ "${OGPT_SANITIZED:-0}" = 1 ] && stride=5

# wrong TEXT WORDS...: to be refused with exit code 2 and one line that matches TEXT (a pattern). Kept for
# `refused`, which tries all at once (many_lines.c); a sanitized run tries every fifth.
texts=() typed=()
wrong() {
    n_tried=$((n_tried + 1))
    [ $((n_tried % stride)) = 0 ] || return
    texts+=("$1")
    shift
    typed+=("$*")
    printf '%s\037' "$@" >>../lines
    printf '\036' >>../lines
}

refused() {
    local i answers code bytes line
    "$(dirname "$OGPT")/tests/many_lines" <../lines >../answers || fail "many_lines: exit code $?"
    mapfile -d $'\036' -t answers <../answers
    [ ${#answers[@]} = ${#texts[@]} ] || fail "${#texts[@]} command lines, ${#answers[@]} answers"
    for i in "${!answers[@]}"; do
        line=${answers[i]%$'\037'} # the three parts, without a process for each of thousands
        code=${line%%$'\037'*} line=${line#*$'\037'}
        bytes=${line%%$'\037'*} line=${line#*$'\037'}
        line=${line%$'\n'}
        [ "$code" = 2 ] || fail "ogpt ${typed[i]}: exit code 2 expected, found $code: $line"
        [ "$bytes" = 0 ] || fail "ogpt ${typed[i]}: nothing expected on stdout"
        [[ $line == "ogpt: "* && $line != *$'\n'* ]] || fail "ogpt ${typed[i]}: one line expected: $line"
        [[ $line =~ ${texts[i]} ]] || fail "ogpt ${typed[i]}: '${texts[i]}' expected: $line"
    done
}

# beyond LOW HIGH: a number below this range and one above it.
beyond() {
    awk -v low="$1" -v high="$2" 'function step(bound) {
            bound = bound < 0 ? -bound : bound
            return bound > 1e6 ? bound * 0.01 : 1
        }
        BEGIN { printf "%.17g %.17g\n", low - step(low), high + step(high) }'
}

export COLUMNS=10000 # pages with an option a line, however long
"$OGPT" --help >../help || fail "help"
mapfile -t commands < <(sed -n '/^commands:/,/^options:/p' ../help |
    sed -n 's/^  \([a-z]\+\( [a-z-]\+\)\?\)   *.*/\1/p' | grep -v '^help')
[ ${#commands[@]} -ge 15 ] || fail "at least 15 commands expected, found ${#commands[@]}"
n_options=0
for name in "${commands[@]}"; do
    read -ra words <<<"$name"
    "$OGPT" "${words[@]}" --help >../help || fail "help of $name"
    usage=$(grep -m1 '^usage: ' ../help)
    wrong "did you mean|lists all" "${words[@]}" --zebra-flag
    wrong "two hyphens" "${words[@]}" -q
    wrong "empty text" "${words[@]}" ''
    if [[ $usage != *...* ]]; then
        wrong "unexpected argument|argument.* expected" "${words[@]}" a b c d e f
    fi
    if [[ ${usage#"usage: ogpt $name"} =~ ^\ [A-Z] ]]; then
        wrong "expected|needed|usage|give " "${words[@]}"
    fi
    while IFS= read -r line; do
        read -r option argument rest <<<"$line"
        n_options=$((n_options + 1))
        # One blank separates an option from its argument, two or more from its help.
        if [[ ! $line =~ ^\ \ --[a-z0-9-]+\ [^\ ] ]]; then
            wrong "takes no value" "${words[@]}" "$option=1"
            wrong "given twice; give it once" "${words[@]}" "$option" "$option"
            continue
        fi
        wrong "needs a value: $option" "${words[@]}" "$option"
        wrong "needs a value: $option" "${words[@]}" "$option" --json
        wrong "expected|empty" "${words[@]}" "$option="
        value=x
        if [[ $argument == *'|'* || $argument == [a-z]* ]]; then # a choice of one, or of several
            value=${argument%%|*}
            wrong "one of .* expected, found 'zebra'" "${words[@]}" "$option" zebra
            wrong "expected" "${words[@]}" "$option" "${value}x"
        elif [[ $argument == LAYER* ]]; then # a list of layers, or exactly one
            value=0
            for list in x 1- 3-1 -1 1,,2 1,1 embed,embed 1.5 "0 1" 99999 embedd zebra; do
                wrong "expected" "${words[@]}" "$option=$list"
            done
            [ "$argument" = LAYER ] && wrong "exactly one layer" "${words[@]}" "$option" 0-1
        elif [[ $rest =~ \((-?[0-9.e+-]+)\.\.([0-9.e+-]+)[\),] ]]; then
            value=${BASH_REMATCH[1]}
            read -r low high <<<"$(beyond "$value" "${BASH_REMATCH[2]}")"
            for number in "$low" "$high" 1e999 -1e999 0x 0x10 nan inf three "$value " "1,5" 1_000; do
                wrong "expected" "${words[@]}" "$option=$number"
            done
        fi
        wrong "given twice; give it once" "${words[@]}" "$option" "$value" "$option" "$value"
    done < <(grep '^  --[a-z]' ../help | grep -v '^  --help')
done
[ $n_options -ge 150 ] || fail "at least 150 options expected, found $n_options"

# The twin: what the pages allow is accepted, and a correct command is not refused here.
"$OGPT" perft 3 --seed 1 >/dev/null 2>&1 && fail "perft has no seed: a wrong option was taken"
"$OGPT" perft 3 --json --quiet --store ../store.db >../out 2>../err || fail "a right command was refused"

# Options that contradict each other.
wrong "give either --corpus CORPUS or --fresh" train m
wrong "give either --corpus CORPUS or --fresh" train m --fresh --corpus c.ogpc
wrong "does not divide" train m --fresh --d-model 10 --heads 3
wrong "--games N is required" generate a.ogpc
refused
[ -z "$(ls -A)" ] || fail "refused commands left files: $(ls -A)"
cd ..
echo "$n_tried wrong command lines of $n_options options"
check_end
