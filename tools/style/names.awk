# Types and enumerators that are unique in the tree, and the room's noun on every function of a
# header (tools/nouns.txt). Reads the table, then the lines of split.awk; prints RULE|FILE:LINE: what.
# Two programs of tests/ or bench/ may each have a type N or Fixture, but none that a room has.
function refuse(rule, file, line, what) {
    printf "%s|%s:%d: %s\n", rule, file, line, what
}
function room_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}
function define(kind, name, line) {
    n_defined++
    defined_kind[n_defined] = kind
    defined_name[n_defined] = name
    defined_file[n_defined] = FILE
    defined_line[n_defined] = line
}
function check_unique(of_program,   i, name, file) {
    for (i = 1; i <= n_defined; i++) {
        name = defined_name[i]
        file = defined_file[i]
        if ((file ~ /^(tests|bench)\/.*\.c$/) != of_program) {
            continue
        }
        if (name in first && first[name] != file) {
            refuse("unique", file, defined_line[i],
                   defined_kind[i] " " name " is defined in " first[name] " too: choose another name")
        } else if (!of_program) {
            first[name] = file
        }
    }
}
# The longest prefix in the table that begins `name`, "" if none.
function noun_of(name,   i) {
    for (i = length(name); i > 0; i--) {
        if (substr(name, 1, i) in owner) {
            return substr(name, 1, i)
        }
    }
    return ""
}
function check_noun(name, line,   room, noun) {
    room = room_of(FILE)
    noun = noun_of(name)
    if (noun == "") {
        refuse("noun", FILE, line, name ": no prefix of it belongs to a room: see tools/nouns.txt")
    } else if (owner[noun] != room) {
        refuse("noun", FILE, line, name ": the prefix " noun " belongs to " owner[noun] ": see tools/nouns.txt")
    }
}
# A statement of the file scope, braces included, begun in `line`.
function check_statement(text, line,   body, n, i, part, name, at) {
    gsub(/__attribute__ *\(\(([^()]|\([^()]*\))*\)\)/, "", text)
    sub(/^ +/, "", text)
    if (text ~ /^(typedef )?enum( [A-Za-z0-9_]+)? *\{/) {
        body = text
        sub(/[^{]*\{/, "", body)
        sub(/\}.*/, "", body)
        gsub(/\([^()]*\)/, "", body)
        n = split(body, part, ",")
        for (i = 1; i <= n; i++) {
            if (match(part[i], /[A-Z][A-Za-z0-9_]*/)) {
                define("enumerator", substr(part[i], RSTART, RLENGTH), line)
            }
        }
    }
    if (match(text, /^(typedef )?(static )?(const )?(struct|union|enum) [A-Z][A-Za-z0-9_]* *\{/)) {
        name = substr(text, 1, RLENGTH - 1)
        sub(/ *$/, "", name)
        sub(/.* /, "", name)
        define("type", name, line)
    } else if (text ~ /^typedef / && text !~ /^typedef (struct|union|enum) [A-Za-z0-9_]+ [A-Za-z0-9_]+;/) {
        if (match(text, /\( *\* *[A-Za-z0-9_]+ *\)/)) {
            name = substr(text, RSTART, RLENGTH)
            gsub(/[( *)]/, "", name)
        } else {
            name = text
            sub(/ *(\[[^\]]*\])* *;.*/, "", name)
            sub(/.*[ *}]/, "", name)
        }
        define("type", name, line)
    } else if (FILE ~ /\.h$/ && FILE !~ /^(tests|bench|tools)\// && text ~ /;$/ &&
               text !~ /^(static|typedef|struct|union|enum|extern const)[^A-Za-z0-9_]/) {
        at = index(text, "(")
        name = substr(text, 1, at - 1)
        if (at && name !~ /=/ && name ~ /[ *][A-Za-z_][A-Za-z0-9_]*$/) {
            sub(/.*[ *]/, "", name)
            check_noun(name, line)
        }
    }
}
FILENAME == ARGV[1] { # the table
    sub(/#.*/, "")
    for (i = 2; i <= NF; i++) {
        if ($i in owner) {
            refuse("noun", ARGV[1], FNR, "the prefix " $i " belongs to " owner[$i] " already")
        }
        owner[$i] = $1
    }
    next
}
FNR == 1 { FS = "\037"; $0 = $0 }
$1 != FILE {
    FILE = $1
    depth = in_macro = 0
    statement = ""
}
$3 ~ /^[ \t]*#/ || in_macro {
    in_macro = $3 ~ /\\$/
    next
}
$3 ~ /^[ \t]*$/ { next }
{
    if (statement == "") {
        line = $2
    }
    code = $3
    sub(/^[ \t]+/, " ", code)
    # Bodies of functions are passed over.
    if (code ~ /^\{/ && depth == 0) {
        body_of_function = 1
    }
    opened = gsub(/\{/, "{", code)
    closed = gsub(/\}/, "}", code)
    if (!body_of_function) {
        statement = statement (statement == "" ? "" : " ") code
    }
    depth += opened - closed
    if (depth == 0) {
        if (body_of_function) {
            body_of_function = 0
            statement = ""
        } else if (code ~ /;$/) {
            check_statement(statement, line)
            statement = ""
        } else if (code ~ /\}$/) { # a function of one line
            statement = ""
        }
    }
}
END {
    check_unique(0)
    check_unique(1)
}
