# tests/cli/lib_json.sh - sourced by scripts: JSON documents and CSV headers as lines that a shell
# can compare. A key path names a value wherever it occurs: layers[].accuracy is that of all layers.

# json_leaves <DOCUMENT: "path<TAB>value", one line per value, in the order of the document. An array or
# object without members is the value [] or {}. Anything but a complete document gives exit code 1.
json_leaves() {
    awk '
    function leaf(value) {
        filled[depth] = 1
        print here() "\t" value
    }
    function here() { # the path of the value that comes next
        if (kind[depth] != "{") {
            return prefix[depth]
        }
        return prefix[depth] (prefix[depth] == "" ? "" : ".") key[depth]
    }
    function open(mark,   path) {
        path = here() (mark == "[" ? "[]" : "")
        filled[depth] = 1
        kind[++depth] = mark
        prefix[depth] = path
        filled[depth] = 0
        wants_key = mark == "{"
    }
    function close_one(mark) {
        if (depth == 0 || kind[depth] != mark) {
            wrong = 1
            return
        }
        if (!filled[depth]) {
            print prefix[depth] "\t" (mark == "[" ? "[]" : "{}")
        }
        depth--
    }
    {
        line = $0
        while (!wrong && match(line, /"([^"\\]|\\.)*"|[^][{}",: \t\r]+|[][{},:]/)) {
            token = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (token == "{" || token == "[") {
                open(token)
            } else if (token == "}") {
                close_one("{")
            } else if (token == "]") {
                close_one("[")
            } else if (token == ",") {
                wants_key = kind[depth] == "{"
            } else if (token == ":") {
                wants_key = 0
            } else if (wants_key) {
                key[depth] = substr(token, 2, length(token) - 2)
            } else {
                leaf(token)
            }
            n_tokens++
        }
    }
    END { exit wrong || depth != 0 || n_tokens == 0 }'
}

# json_columns <DOCUMENT: "path<TAB>value value ...", one line per path, all its values in their order.
json_columns() {
    local leaves
    leaves=$(json_leaves) || return 1
    awk -F '\t' '
        !($1 in column) { path[++n] = $1; column[$1] = $2; next }
        { column[$1] = column[$1] " " $2 }
        END {
            for (i = 1; i <= n; i++) {
                print path[i] "\t" column[path[i]]
            }
        }' <<<"$leaves"
}

# csv_columns FILE: the names in its first line, one a line.
csv_columns() {
    head -n 1 "$1" | tr -d '"\r' | tr ',' '\n'
}
