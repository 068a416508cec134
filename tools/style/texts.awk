# Comments and pages: no sentence begins with "Of", and no file, function or member is named that
# does not exist. Reads, in this order: tools/foreign_names.txt; the names of all files (one a line,
# behind "file "); all lines of split.awk and plain.awk. Prints RULE|FILE:LINE: what.
#
# A file is named by its path from the root or from the folder of the text, or by its bare name if
# that is unique; * stands for any characters. A function is a word with brackets behind it, or with
# an underscore in it: it must occur somewhere in the code, in a string, or as the stem of a file.
function refuse(rule, file, line, what) {
    printf "%s|%s:%d: %s\n", rule, file, line, what
}
function folder_of(path) {
    return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/)) : ""
}
function pattern_of(glob) {
    gsub(/\./, "[.]", glob)
    gsub(/\*/, "[A-Za-z0-9_.-]*", glob)
    return "^" glob "$"
}
function file_exists(name, folder,   path, bare, pattern) {
    sub(/^(\.\/)+/, "", name)
    bare = name
    sub(/.*\//, "", bare)
    if (bare in foreign || name in foreign || name in tree || (folder name) in tree) {
        return 1
    }
    if (name !~ /\*/) {
        return name == bare && (n_named[bare] == 1 || n_named[bare] > 1 && bare ~ /^(README\.md|internal\.h|CMakeLists\.txt)$/)
    }
    pattern = pattern_of(name)
    for (path in tree) {
        bare = path
        sub(/.*\//, "", bare)
        if (path ~ pattern || bare ~ pattern || index(path, folder) == 1 && substr(path, length(folder) + 1) ~ pattern) {
            return 1
        }
    }
    return 0
}
function check_files(text, file, line,   word, rest) {
    rest = " " text " "
    while (match(rest, /[A-Za-z0-9_.\/*<>{},$-]*[A-Za-z0-9_*>}]\.(c|h|md|sh|def|py|awk|txt)[^A-Za-z0-9_]/)) {
        word = substr(rest, RSTART, RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH - 1)
        if (word ~ /[<>{}$]/ || word ~ /^\// || word ~ /,|NAME/ || rest ~ /^\]|^\.[A-Za-z0-9*]/) {
            continue
        }
        if (!file_exists(word, folder_of(file))) {
            refuse("named", file, line, word ": no such file")
        }
    }
}
function word_exists(word,   known_word) {
    if (word in known || word in foreign) {
        return 1
    }
    if (word ~ /\*$/) {
        sub(/\*+$/, "", word)
        for (known_word in known) {
            if (index(known_word, word) == 1) {
                return 1
            }
        }
    }
    return 0
}
# No names: letters of formulas with an index (x_i, W_E, w_last; n_games counts as a name), prefixes
# and suffixes (ref_), places to fill in (NAME_low, X_ci).
function is_formula(word) {
    return word ~ /_$/ || word ~ /_[A-Za-z0-9]$/ || word ~ /^[A-Zabd-mo-z]_/ ||
           word ~ /^(sum|min|max|omega|lambda|LN)_/ || word ~ /NAME|KEY/
}
function check_words(text, file, line,   word, rest) {
    rest = text
    gsub(/(^|[^A-Za-z])-D/, " ", rest) # an option of the compiler
    gsub(/[A-Za-z0-9_*\/]*(\.[A-Za-z0-9_*\/]+)+/, " ", rest) # file.ext, blocks.L.hook_z
    rest = " " rest " "
    while (match(rest, /[^A-Za-z0-9_\/<*][A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]*\*?[^A-Za-z0-9_]/)) {
        word = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH - 1)
        if (!is_formula(word) && !(file !~ /\.(c|h|def)$/ && word !~ /[a-z]/) && rest !~ /^[>*\/]/ && !word_exists(word)) {
            refuse("named", file, line, word ": no such function, member or file")
        }
    }
}
# A path without an ending, base/err or model/test_gpt: a folder or the stem of a file, perhaps in tests/.
function check_paths(text, file, line,   word, top, rest) {
    rest = " " text " "
    gsub(/\. /, " ", rest)
    while (match(rest, /[^A-Za-z0-9_.\/<*$-][a-z]+(\/[a-z0-9_]+)+[^A-Za-z0-9_\/.*<-]/)) {
        word = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH - 1)
        top = word
        sub(/\/.*/, "", top)
        if ((top in top_folder) && !(word in stem) && !(("tests/" word) in stem) && !(word in foreign) && word !~ /_x$/) {
            refuse("named", file, line, word ": no such folder or file")
        }
    }
}
function check_calls(text, file, line,   word, rest) {
    rest = text
    while (match(rest, /[^A-Za-z0-9_.][a-z][A-Za-z0-9_]*\(\)/)) {
        word = substr(rest, RSTART + 1, RLENGTH - 3)
        rest = substr(rest, RSTART + RLENGTH)
        if (word !~ /_/ && !word_exists(word)) {
            refuse("named", file, line, word "(): no such function")
        }
    }
}
function check_quoted(text, file, line,   word, rest) { # `word`, alone between backticks
    rest = text
    while (match(rest, /`[A-Za-z][A-Za-z0-9]+`/)) {
        word = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        if (!is_formula(word) && !word_exists(word)) {
            refuse("named", file, line, "`" word "`: no such name")
        }
    }
}
function remember(text,   n, i, word) {
    gsub(/[^A-Za-z0-9_]+/, " ", text)
    n = split(text, word, " ")
    for (i = 1; i <= n; i++) {
        known[word[i]]
    }
}

FNR == 1 { part++ }
part == 1 {
    sub(/#.*/, "")
    for (i = 1; i <= NF; i++) {
        foreign[$i]
    }
    next
}
part == 2 {
    tree[$0]
    bare = $0
    sub(/.*\//, "", bare)
    n_named[bare]++
    path = $0
    sub(/\.[a-z_]*$/, "", path)
    stem[path]
    for (folder = path; sub(/\/[^\/]*$/, "", folder);) {
        stem[folder]
        top = folder
    }
    top_folder[top]
    remember($0)
    next
}
part == 3 { # all code and strings, before any comment is read
    if (FNR == 1) {
        FS = "\037"
        $0 = $0
    }
    remember($3 " " $5)
    if (match($3, /include *<[^>]+>/)) {
        header = substr($3, RSTART, RLENGTH)
        sub(/.*[<\/]/, "", header)
        sub(/>/, "", header)
        foreign[header]
    }
    next
}
{
    if ($4 ~ /(^|[^A-Za-z])O[f] / || $5 ~ /(^|[^A-Za-z])O[f] /) {
        refuse("of", $1, $2, "a sentence begins with \"Of\": write subject, verb, object")
    }
    check_files($4, $1, $2)
    check_words($4, $1, $2)
    check_paths($4, $1, $2)
    check_calls($4, $1, $2)
    check_quoted($4, $1, $2)
}
