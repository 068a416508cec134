/* Types, enumerators and functions: allowed, then refused. */
#include "base/twice.h"
typedef struct Fresh Fresh;
typedef struct Fresh {
    int a;
} Fresh;
enum { GAME_ONE, GAME_TWO = GAME_ONE + 1 };
typedef enum Side { BASE_ONE } Side; /* the enumerator is taken */
typedef int (*Taken)(int a);         /* the type is taken */
int game_right(int a, int b);
static inline int without_noun(int a)
{
    return a;
}
int base_noun(Fresh *fresh);
int err_wrong_room(
    Side side);
