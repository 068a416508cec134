/* base/number_list.c - contract in base/number_list.h. */
#include "base/number_list.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

int number_list_read(double *values, int *n, const char *text, const NumberList *what)
{
    const char *at = text;
    *n = 0;
    while (*n < what->most) {
        char *end;
        const double value = strtod(at, &end);
        if (end == at || !(value > 0) || !(value <= what->largest) ||
            (what->whole && value != floor(value)) || (*end != ',' && *end != '\0')) {
            return err_set(OGPT_EUSAGE, "--%s %s: expected a %s above 0, or a list such as 8,16,32",
                           what->option, text, what->whole ? "whole number" : "number");
        }
        values[(*n)++] = value;
        if (*end == '\0') {
            return 0;
        }
        at = end + 1;
    }
    return err_set(OGPT_EUSAGE, "--%s %s: more than %d values", what->option, text, what->most);
}
