#include "outer/shared.h"
int two(int x);
int two(int x)
{
    return twice(x);
}
