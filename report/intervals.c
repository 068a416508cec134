/* report/intervals.c - contract in report/intervals.h. */
#include "report/intervals.h"

#include <stdio.h>

void js_set_interval(Js *object, const char *name, Interval interval)
{
    char key[64];
    Js *pair = js_array();
    js_push(pair, js_num(interval.low));
    js_push(pair, js_num(interval.high));
    js_set_num(object, name, interval.value);
    snprintf(key, sizeof(key), "%s_ci", name);
    js_set(object, key, pair);
    snprintf(key, sizeof(key), "%s_low", name);
    js_set_num(object, key, interval.low);
    snprintf(key, sizeof(key), "%s_high", name);
    js_set_num(object, key, interval.high);
}
