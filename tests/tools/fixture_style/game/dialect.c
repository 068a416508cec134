/* Each rule of the dialect: what is allowed, then what is refused. */
int rules(int rc, const char *p)
{
    int count = 0;
    rc = rc ? rc : f();
    rc = rc < 0 ? rc : 0; /* positive is no error */
    count = count ? count : 1;
    rc = rc != 0 ? rc : f();
    rc = rc == 0 ? f() : rc;
    rc = rc != 0
             ? rc
             : f();
    code = code ? code : f();
    if (!p || p[0] == '\0') { /* p == NULL in a comment */
        return rc;
    }
    if (p == NULL || NULL != p) {
        return sizeof(*p) + sizeof(int);
    }
    return sizeof *p;
}

int names_of_codes(void)
{
    int status, n = 0;
    waitpid(1, &status, 0);
    int result = f();
    if (n > 0) {
        return status;
    }
    return result;
}

static const OptionSpec options[] = {
    {.name = "right", .type = OPT_INT, .offset = offsetof(O, a), .min = 0},
    COUNT_OPTION,
    OPTION_ROW("row", OPT_INT, offsetof(O, a), "x"),
    {"wrong", OPT_INT, offsetof(O, b), 0, 9},
    {.name = "half",
     .type = OPT_INT,
     offsetof(O, c)},
};
enum OptionType { OPT_FLAG, OPT_INT };
#define COUNT_OPTION {.name = "count", .type = OPT_INT, .help = "x"}
#define WRONG_OPTION {"count", OPT_INT, .help = "x"}

void blanks(void)
{
    const int right[] = {1,
                         2};
    Foo *p = right;
    f();

    g();
    while (p) {
        int wrong = 1;

        f(wrong);
    }
}

void seven(int a, int b, int c, int d, int e, int f, int (*g)(int, int));
void vararg(int a, int b, int c, int d, int e, int f, int g, ...)
{
}
void eight(int a, int b, int c, int d, int e, int f, int g,
           int (*h)(int, int))
{
    call(a, b, c, d, e, f, g, h);
}
