/* The first of their names. */
typedef struct Taken {
    int a;
} Taken;
enum { BASE_ONE };
