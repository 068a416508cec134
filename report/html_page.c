/* report/html_page.c - a page for a browser around its tables. Contract in report/html.h. */
#include <string.h>

#include "report/html.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/formats/base64.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
/* With the hash of a script between the two. */
static const char policy[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
static const char policy_end[] = "\">\n<meta name=\"referrer\" content=\"no-referrer\">\n";

/* Colours are named once for light and once for dark; paper is light. */
static const char colours[] =
    "<style>\n"
    ":root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --soft: #57606a;"
    " --line: #d4d9df; --rule: #1c2024; --tint: #f4f6f8; --link: #0b57a4; --note: #6b4500;"
    " --note-paper: #fff5dc; --note-line: #d9a520; --bad: #a3122b; --bad-paper: #fdeef0; }\n"
    "@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec;"
    " --soft: #a3acb5; --line: #343b42; --rule: #aab3bc; --tint: #1d2226; --link: #7db8ff;"
    " --note: #f1cf7f; --note-paper: #2b2411; --note-line: #a37b12; --bad: #ff9aa6;"
    " --bad-paper: #32161b; } }\n"
    "@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444;"
    " --line: #bbb; --rule: #000; --tint: #f4f6f8; --link: #000; --note: #4a3000;"
    " --note-paper: #fff; --note-line: #888; --bad: #8a0015; --bad-paper: #fff; } }\n";

static const char text_style[] =
    "* { box-sizing: border-box; }\n"
    "html { -webkit-text-size-adjust: 100%; }\n"
    "body { margin: 0; font: 1rem/1.55 system-ui, -apple-system, \"Segoe UI\", \"Noto Sans\","
    " \"Liberation Sans\", sans-serif; color: var(--ink); background: var(--paper); }\n"
    "main { max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 4rem; }\n"
    "h1, h2, h3 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }\n"
    "h1 { font-size: 1.9rem; margin: 0 0 0.4rem; letter-spacing: -0.01em; }\n"
    "h2 { font-size: 1.35rem; margin: 3rem 0 0.4rem; padding-top: 0.8rem;"
    " border-top: 1px solid var(--line); }\n"
    "h3 { font-size: 1.1rem; margin: 2.2rem 0 0.3rem; }\n"
    "p { margin: 0.4rem 0; max-width: 46rem; overflow-wrap: anywhere; }\n"
    "a { color: var(--link); text-underline-offset: 0.15em; }\n"
    ":focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }\n"
    "code, pre { font-family: ui-monospace, \"Cascadia Mono\", \"Liberation Mono\", Menlo,"
    " Consolas, monospace; font-size: 0.875em; }\n"
    "code { overflow-wrap: anywhere; unicode-bidi: isolate; }\n"
    "pre { margin: 0.6rem 0; padding: 0.8rem 1rem; background: var(--tint); border: 1px solid"
    " var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere;"
    " user-select: all; }\n"
    ".lead { font-size: 1.05rem; color: var(--soft); }\n"
    ".result { font-size: 1.15rem; font-weight: 600; }\n"
    "p[role=\"note\"] { color: var(--note); background: var(--note-paper); border-left: 4px solid"
    " var(--note-line); padding: 0.5rem 0.8rem; border-radius: 0 4px 4px 0; }\n"
    "p.bad { color: var(--bad); background: var(--bad-paper); border-left: 4px solid var(--bad);"
    " padding: 0.5rem 0.8rem; border-radius: 0 4px 4px 0; }\n"
    "nav ol { margin: 0.3rem 0; padding-left: 0; list-style: none; columns: 26rem; column-gap:"
    " 2.5rem; }\n"
    "nav li { margin: 0; break-inside: avoid; overflow-wrap: anywhere; }\n"
    "nav li li a { padding-left: 1.2rem; }\n"
    "nav ol ol { columns: auto; margin: 0; }\n"
    "nav a { display: block; padding: 0.25rem 0.2rem; text-decoration: none; }\n"
    "nav a:hover, nav a:focus { text-decoration: underline; }\n"
    "nav .found { color: var(--soft); }\n"
    "nav .bad { color: var(--bad); }\n";

/* A table is as wide as it must be and scrolls in its own box; on paper it wraps, and one of many
 * columns gets a sheet turned on its side and smaller type. */
static const char table_style[] =
    "section { margin: 1.4rem 0 1.8rem; }\n"
    "div.scroll { overflow-x: auto; position: relative; }\n"
    "table { border-collapse: collapse; font-size: 0.92rem; line-height: 1.4; }\n"
    "caption { text-align: left; font-weight: 600; padding: 0 0 0.35rem; }\n"
    "thead tr, table.record tbody tr:first-child { border-top: 2px solid var(--rule); }\n"
    "thead tr { border-bottom: 1px solid var(--rule); }\n"
    "tbody tr:last-child { border-bottom: 2px solid var(--rule); }\n"
    "tbody tr + tr { border-top: 1px solid var(--line); }\n"
    "th, td { padding: 0.28rem 0.9rem 0.28rem 0; text-align: left; vertical-align: top; }\n"
    "th { font-weight: 600; }\n"
    "thead th { vertical-align: bottom; }\n"
    "tbody th { font-weight: 500; }\n"
    "th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "td.long { min-width: 15rem; overflow-wrap: anywhere; }\n"
    "td.m { color: var(--soft); min-width: 12rem; }\n"
    ".same { font-size: 0.88rem; color: var(--soft); }\n"
    ".ci { color: var(--soft); white-space: nowrap; }\n"
    ".unit { font-weight: 400; color: var(--soft); }\n"
    "table.record td.n { text-align: left; }\n"
    "table.record th { min-width: 6rem; }\n"
    "dl { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: 0.1rem 1rem;"
    " margin: 0.5rem 0 0; font-size: 0.88rem; color: var(--soft); max-width: 46rem; }\n"
    "dt { font-weight: 600; }\ndd { margin: 0; overflow-wrap: anywhere; }\n"
    "figure { margin: 1.4rem 0; }\n"
    "figure svg { display: block; max-width: 100%; height: auto; background: #fff;"
    " border-radius: 4px; }\n"
    "table.turned thead th + th { text-align: right; }\n";

static const char narrow_style[] =
    "@media (max-width: 30rem) { main { padding: 1rem 0.8rem 3rem; } h1 { font-size: 1.5rem; }"
    " td.long { min-width: 9rem; } td.m { min-width: 8rem; }"
    " th, td { padding-right: 0.7rem; }"
    " dl { grid-template-columns: 1fr; } dd { margin: 0 0 0.3rem 1rem; } }\n";

static const char paper_style[] =
    "@page { size: A4; margin: 16mm 15mm; }\n"
    "@page turned { size: A4 landscape; margin: 14mm 15mm; }\n"
    "@media print {\n"
    "body { font-size: 9.5pt; line-height: 1.4; }\n"
    "main { max-width: none; padding: 0; }\n"
    "h1 { font-size: 18pt; } h2 { font-size: 13pt; margin-top: 1.6rem; } h3 { font-size: 11pt;"
    " margin-top: 1.2rem; }\n"
    "h1, h2, h3, h2 + p, h3 + p, pre, .result, caption { break-after: avoid; }\n"
    "p, pre, dl, li { max-width: none; }\n"
    "p, li, dt, dd, figure, section.short, tr { break-inside: avoid; }\n"
    "thead { display: table-header-group; }\n"
    "div.scroll { overflow: visible; }\n"
    "table { font-size: 8.5pt; max-width: 100%; }\n"
    "th, td { padding: 0.16rem 0.6rem 0.16rem 0; }\n"
    "th { overflow-wrap: break-word; }\n"
    "td.long, td.m { min-width: 3rem; }\n"
    "td:not(.n) { overflow-wrap: anywhere; }\n"
    "section.less table { font-size: 7pt; } section.less th, section.less td { padding-right:"
    " 0.4rem; }\n"
    "section.little table { font-size: 6pt; } section.little th, section.little td {"
    " padding-right: 0.3rem; }\n"
    "section.sheet { page: turned; }\n"
    "section.least table { font-size: 5.2pt; } section.least th, section.least td {"
    " padding-right: 0.25rem; }\n"
    "a { text-decoration: none; }\n"
    "nav ol { columns: 14rem; } .lead { font-size: 10pt; }\n"
    "dl, .same { font-size: 8pt; }\n"
    "pre { user-select: auto; border-radius: 0; }\n"
    "}\n";

/* The five characters that mean something in HTML, and controls, which mean nothing anywhere. */
void html_escape(Text *out, const char *text, size_t length)
{
    for (const char *c = text; c < text + length; c++) {
        switch (*c) {
        case '&': text_add(out, "&amp;"); break;
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '"': text_add(out, "&quot;"); break;
        case '\'': text_add(out, "&#39;"); break;
        default: {
            unsigned char byte = (unsigned char)*c;
            text_add(out, (byte < 0x20 && *c != '\n') || byte == 0x7f ? "?" : "%c", *c);
        }
        }
    }
}

void html_text(Text *out, const char *text)
{
    html_escape(out, text, strlen(text));
}

/* The beginning of a page: up to its title, or with `command_line` up to that. */
static void mark_add(Text *out, const char *title, const char *command_line)
{
    text_add(out, "%s<title>", head);
    html_text(out, title);
    text_add(out, "</title>\n");
    if (command_line) {
        text_add(out, "<meta name=\"description\" content=\"");
        html_text(out, command_line);
        text_add(out, "\">\n");
    }
}

void html_page_begin(Text *out, const char *title, const char *command_line,
                     const HtmlExtras *extras)
{
    const HtmlExtras with = extras ? *extras : (HtmlExtras){0};
    mark_add(out, title, command_line);
    text_add(out, "%s", policy);
    if (with.script) {
        char hash[BASE64_HASH_SIZE];
        base64_hash(hash, with.script, strlen(with.script));
        text_add(out, "; script-src '%s'", hash);
    }
    text_add(out, "%s%s%s%s%s%s%s</style>\n", policy_end, colours, text_style, table_style,
             narrow_style, paper_style, with.style ? with.style : "");
    if (with.script) {
        text_add(out, "<script>%s</script>\n", with.script);
    }
    text_add(out, "</head>\n<body>\n<main>\n");
}

void html_heading(Text *out, const char *heading, const char *command_line)
{
    text_add(out, "<h1>");
    html_text(out, heading);
    text_add(out, "</h1>\n<p><code>");
    html_text(out, command_line);
    text_add(out, "</code></p>\n");
}

void html_note(Text *out, const char *note, size_t length)
{
    text_add(out, "<p role=\"note\">");
    html_escape(out, note, length);
    text_add(out, "</p>\n");
}

void html_page_end(Text *out)
{
    text_add(out, "</main>\n</body>\n</html>\n");
}

bool html_page_is(const char *path, const char *title, const char *command_line)
{
    Text mark = {0};
    mark_add(&mark, title, command_line);
    char *there = mark.failed ? NULL : mem_alloc(mark.length, 1, "the beginning of a page");
    FILE *file = there ? fopen(path, "rb") : NULL;
    bool is = file && fread(there, 1, mark.length, file) == mark.length &&
              memcmp(there, mark.data, mark.length) == 0;
    if (file) {
        fclose(file);
    }
    mem_free(there);
    text_release(&mark);
    return is;
}
