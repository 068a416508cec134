#include "outer/shared.h"
int one(int x);
int one(int x)
{
    if (x > 5) {
        return twice(x);
    }
    return x;
}
