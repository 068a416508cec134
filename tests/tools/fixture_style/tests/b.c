/* Allowed: two programs may each have a Fixture. As a.c. */
typedef struct Fixture {
    int a;
} Fixture;
