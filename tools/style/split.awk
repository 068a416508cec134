# Each line of the C files apart: FILE, line number, code, comment, strings, one line each, with
# the byte 0x1f between the fields. String and character literals stay in the code as "" and \047\047;
# their contents, each behind a quote, are the last field. The other programs here read this.
BEGIN { OFS = "\037" }
FNR == 1 { in_comment = 0 }
{
    n = length($0)
    code = comment = strings = quote = ""
    for (i = 1; i <= n; i++) {
        c = substr($0, i, 1)
        two = substr($0, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                comment = comment " "
                i++
            } else {
                comment = comment c
            }
        } else if (quote != "") {
            if (c == "\\") {
                strings = strings " "
                i++
            } else if (c == quote) {
                quote = ""
                code = code c
            } else {
                strings = strings c
            }
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else if (two == "//") {
            comment = comment substr($0, i + 2)
            break
        } else {
            if (c == "\"" || c == "\047") {
                quote = c
                strings = strings "\""
            }
            code = code c
        }
    }
    sub(/[ \t]+$/, "", code)
    print FILENAME, FNR, code, comment, strings
}
