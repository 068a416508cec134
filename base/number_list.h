/* base/number_list.h - several values of one option: "8,16,32". */
#ifndef OGPT_BASE_NUMBER_LIST_H
#define OGPT_BASE_NUMBER_LIST_H

#include <stdbool.h>

/* The values (room for `most`) of `text`, each above 0 and at most `largest`; `whole`: whole
 * numbers. *n: how many. OGPT_EUSAGE names the option. */
typedef struct NumberList {
    const char *option; /* without the dashes */
    double largest;
    bool whole;
    int most;
} NumberList;
int number_list_read(double *values, int *n, const char *text, const NumberList *what);

#endif
